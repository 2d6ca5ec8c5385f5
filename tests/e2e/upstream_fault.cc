#include "tests/e2e/upstream_fault.h"

#include <ostream>
#include <utility>

namespace gpumon::e2e {
namespace {

using Kind = fault::Reply::Fault;

std::string ErrorJson(const std::string& type) {
  return R"({"status":"error","errorType":")" + type + R"(","error":")" + kUpstreamText + R"("})";
}

std::string ResultJson(const std::string& type, const std::string& result) {
  return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
}

std::string HalfAnAnswer() {
  const std::string whole = fault::OneSample();
  return whole.substr(0, whole.size() / 2);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const UpstreamFault& fault) {
  return out << fault.name;
}

std::vector<UpstreamFault> TransportFaults() {
  const std::string whole = fault::OneSample();
  const std::string text = kUpstreamText;
  const std::string html = "<html>" + text + "</html>";
  return {
      {"AcceptsAndHangs", fault::Broken(Kind::kHang), 504, "upstream_timeout"},
      {"SendsTheHeadAndHangs", fault::Slow(whole, 1), 504, "upstream_timeout"},
      {"ClosesAtOnce", fault::Broken(Kind::kClose), 502, "upstream_unreachable"},
      {"Resets", fault::Broken(Kind::kReset), 502, "upstream_unreachable"},
      {"ResetsMidBody", fault::Broken(Kind::kResetMidBody, whole), 502, "upstream_unreachable"},
      {"SendsLessThanItsLength", fault::Broken(Kind::kTruncated, whole), 502,
       "upstream_unreachable"},
      {"SendsNoLastChunk", fault::Broken(Kind::kNoLastChunk, whole), 502, "upstream_unreachable"},
      {"SpeaksNoHttp", fault::Raw("\x16\x03\x01 " + text), 502, "upstream_invalid"},
      {"Answers500", fault::HttpStatus(500, text), 502, "upstream_error"},
      {"Answers502", fault::HttpStatus(502, html, "text/html"), 502, "upstream_error"},
      {"Answers504", fault::HttpStatus(504, text), 502, "upstream_error"},
      {"IsStarting", fault::HttpStatus(503, "Service Unavailable"), 503, "upstream_not_ready", "1",
       1},
      {"Throttles", fault::HttpStatus(429, text), 503, "upstream_throttled", "1", 1},
      {"ThrottlesFor7Seconds", fault::HttpStatus(429, text).With("Retry-After", "7"), 503,
       "upstream_throttled", "7", 1},
      {"ThrottlesForADay", fault::HttpStatus(429, text).With("Retry-After", "86400"), 503,
       "upstream_throttled", "60", 1},
      {"Answers401", fault::HttpStatus(401, text), 502, "upstream_auth", "", 1},
      {"Answers403", fault::HttpStatus(403, text), 502, "upstream_auth", "", 1},
      {"Answers404", fault::HttpStatus(404, text), 502, "upstream_not_prometheus", "", 1},
      {"AnswersALoginPage", fault::HttpStatus(200, html, "text/html"), 502,
       "upstream_not_prometheus", "", 1},
      {"AnswersJsonAsText", fault::HttpStatus(200, whole, "text/plain"), 502,
       "upstream_not_prometheus", "", 1},
  };
}

std::vector<UpstreamFault> ContentFaults() {
  const auto bad = [](const char* name, std::string body) {
    return UpstreamFault{name, fault::Json(std::move(body)), 502, "upstream_invalid", "", 1};
  };
  const auto result = [&](const char* name, const char* type, const char* text) {
    return bad(name, ResultJson(type, text));
  };
  return {
      bad("TruncatedJson", HalfAnAnswer()),
      bad("EmptyBody", ""),
      {"NoContent", fault::HttpStatus(204, " "), 502, "upstream_invalid", "", 1},
      bad("AnArray", "[]"),
      bad("AnEmptyObject", "{}"),
      bad("Null", "null"),
      bad("AnUnknownStatus", R"({"status":"fine","data":{"resultType":"vector","result":[]}})"),
      bad("NoResult", R"({"status":"success","data":{"resultType":"vector"}})"),
      bad("TooDeep", std::string(100'000, '[')),
      result("AMatrix", "matrix", R"([{"metric":{},"values":[[1,"1"]]}])"),
      result("AScalar", "scalar", R"([1,"NaN"])"),
      result("AString", "string", R"([1,"text"])"),
      {"ItsOwnTimeout", fault::HttpStatus(503, ErrorJson("timeout"), "application/json"), 504,
       "upstream_query_timeout", "", 1},
      {"TooManySamples", fault::HttpStatus(422, ErrorJson("execution"), "application/json"), 502,
       "upstream_rejected_query", "", 1},
      {"BadData", fault::HttpStatus(400, ErrorJson("bad_data"), "application/json"), 502,
       "upstream_rejected_query", "", 1},
      {"ErrorWithStatus200", fault::Json(ErrorJson("internal")), 502, "upstream_error"},
      {"BeyondTheCap", fault::Huge(8 << 20), 502, "upstream_too_large", "", 1},
      {"AGzipBomb", fault::GzipBomb(8 << 20), 502, "upstream_too_large", "", 1},
  };
}

}  // namespace gpumon::e2e
