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

// One good sample with another text in place of one of its own.
std::string Replaced(const std::string& from, const std::string& to) {
  std::string whole = fault::OneSample();
  return whole.replace(whole.find(from), from.size(), to);
}

fault::Reply Untyped(std::string body) {
  fault::Reply reply = fault::Json(std::move(body));
  reply.content_type.clear();
  return reply;
}

fault::Reply Closing(Millis time) {
  fault::Reply reply = fault::Broken(Kind::kHang);
  reply.close_delay = time;
  return reply;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const UpstreamFault& fault) {
  return out << fault.name;
}

void Inject(fault::FaultServer& server, const UpstreamFault& fault) {
  server.SetReply(fault.reply);
  if (fault.port == Port::kDown) server.GoDown();
  if (fault.port == Port::kDropsPackets) server.DropPackets();
}

std::vector<UpstreamFault> TransportFaults() {
  const std::string whole = fault::OneSample();
  const std::string text = kUpstreamText;
  const std::string html = "<html>" + text + "</html>";
  return {
      {1, "IsDown", {}, 502, "upstream_unreachable", "", 0, Port::kDown, Millis(250)},
      {2, "DropsPackets", {}, 504, "upstream_timeout", "", 0, Port::kDropsPackets, Millis(1750)},
      {3, "AcceptsAndHangs", fault::Broken(Kind::kHang), 504, "upstream_timeout"},
      {5, "SendsTheHeadAndHangs", fault::Slow(whole, 1), 504, "upstream_timeout"},
      {5, "SendsItsHeadByteByByte", fault::Json(whole).InPieces(1, Millis(50)), 504,
       "upstream_timeout"},
      {5, "IsOnANarrowLine", fault::Json(whole).InPieces(2, Millis(100)), 504, "upstream_timeout"},
      {3, "HangsAndCloses", Closing(Millis(100)), 502, "upstream_unreachable"},
      {20, "ClosesAtOnce", fault::Broken(Kind::kClose), 502, "upstream_unreachable"},
      {20, "Resets", fault::Broken(Kind::kReset), 502, "upstream_unreachable"},
      {20, "ResetsMidBody", fault::Broken(Kind::kResetMidBody, whole), 502, "upstream_unreachable"},
      {20, "SendsLessThanItsLength", fault::Broken(Kind::kTruncated, whole), 502,
       "upstream_unreachable"},
      {20, "SendsNoLastChunk", fault::Broken(Kind::kNoLastChunk, whole), 502,
       "upstream_unreachable"},
      {20, "IsCutInItsHead", fault::Json(whole).CutAfter(30), 502, "upstream_unreachable"},
      {20, "IsCutBehindItsHead", fault::Json(whole).CutAfter(90), 502, "upstream_unreachable"},
      {14, "SpeaksNoHttp", fault::Raw("\x16\x03\x01 " + text), 502, "upstream_invalid"},
      {7, "Answers500", fault::HttpStatus(500, text), 502, "upstream_error"},
      {7, "Answers502", fault::HttpStatus(502, html, "text/html"), 502, "upstream_error"},
      {7, "Answers504", fault::HttpStatus(504, text), 502, "upstream_error"},
      {8, "IsStarting", fault::HttpStatus(503, "Service Unavailable"), 503, "upstream_not_ready",
       "1", 1},
      {12, "Throttles", fault::HttpStatus(429, text), 503, "upstream_throttled", "1", 1},
      {12, "ThrottlesFor7Seconds", fault::HttpStatus(429, text).With("Retry-After", "7"), 503,
       "upstream_throttled", "7", 1},
      {12, "ThrottlesForADay", fault::HttpStatus(429, text).With("Retry-After", "86400"), 503,
       "upstream_throttled", "60", 1},
      {13, "Answers401", fault::HttpStatus(401, text), 502, "upstream_auth", "", 1},
      {13, "Answers403", fault::HttpStatus(403, text), 502, "upstream_auth", "", 1},
      {14, "Answers404", fault::HttpStatus(404, text), 502, "upstream_not_prometheus", "", 1},
      {14, "AnswersALoginPage", fault::HttpStatus(200, html, "text/html"), 502,
       "upstream_not_prometheus", "", 1},
      {23, "AnswersJsonAsText", fault::HttpStatus(200, whole, "text/plain"), 502,
       "upstream_not_prometheus", "", 1},
      {23, "SaysNoContentType", Untyped(whole), 502, "upstream_not_prometheus", "", 1},
      {15, "Redirects", fault::Redirect(302, "http://127.0.0.1:1/"), 502, "upstream_not_prometheus",
       "", 1},
  };
}

std::vector<UpstreamFault> ContentFaults() {
  const auto bad = [](int row, const char* name, std::string body) {
    return UpstreamFault{row, name, fault::Json(std::move(body)), 502, "upstream_invalid", "", 1};
  };
  const auto result = [&](const char* name, const char* type, const char* text) {
    return bad(18, name, ResultJson(type, text));
  };
  return {
      bad(19, "TruncatedJson", HalfAnAnswer()),
      bad(16, "EmptyBody", ""),
      {16, "NoContent", fault::HttpStatus(204, " "), 502, "upstream_invalid", "", 1},
      bad(16, "AnArray", "[]"),
      bad(16, "AnEmptyObject", "{}"),
      bad(16, "Null", "null"),
      bad(17, "AnUnknownStatus", R"({"status":"fine","data":{"resultType":"vector","result":[]}})"),
      bad(18, "NoResult", R"({"status":"success","data":{"resultType":"vector"}})"),
      bad(22, "TooDeep", std::string(1'000'000, '[')),
      bad(22, "ATimeOf300Digits", Replaced("1704110400.5", std::string(300, '9'))),
      bad(23, "AByteOrderMark", "\xEF\xBB\xBF" + fault::OneSample()),
      bad(23, "ALoneSurrogate", Replaced("\"a\"", R"("\ud800")")),
      result("AMatrix", "matrix", R"([{"metric":{},"values":[[1,"1"]]}])"),
      result("AScalar", "scalar", R"([1,"NaN"])"),
      result("AString", "string", R"([1,"text"])"),
      {9, "ItsOwnTimeout", fault::HttpStatus(503, ErrorJson("timeout"), "application/json"), 504,
       "upstream_query_timeout", "", 1},
      {10, "TooManySamples", fault::HttpStatus(422, ErrorJson("execution"), "application/json"),
       502, "upstream_rejected_query", "", 1},
      {11, "BadData", fault::HttpStatus(400, ErrorJson("bad_data"), "application/json"), 502,
       "upstream_rejected_query", "", 1},
      {17, "ErrorWithStatus200", fault::Json(ErrorJson("internal")), 502, "upstream_error"},
      {21, "BeyondTheCap", fault::Huge(8 << 20), 502, "upstream_too_large", "", 1},
      {21, "AGzipBomb", fault::GzipBomb(8 << 20), 502, "upstream_too_large", "", 1},
  };
}

}  // namespace gpumon::e2e
