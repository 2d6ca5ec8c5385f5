#include "internal/prom/decode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "internal/base/text.h"
#include "internal/prom/answer.h"

namespace gpumon::prom {
namespace {

constexpr std::string_view kNextStep = "; check that PROMETHEUS_URL is a Prometheus server";

// Far faster than IsValidUtf8, and true for nearly every answer.
bool IsAscii(std::string_view text) {
  std::uint64_t high = 0;
  std::size_t i = 0;
  for (; i + sizeof high <= text.size(); i += sizeof high) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, sizeof eight);
    high |= eight;
  }
  for (; i < text.size(); ++i) high |= static_cast<unsigned char>(text[i]);
  return (high & 0x8080808080808080U) == 0;
}

tl::unexpected<Status> Invalid(std::string_view what, std::string detail = {}) {
  return Error(Code::kUpstreamInvalid,
               "Prometheus's answer cannot be used: " + std::string(what) + std::string(kNextStep),
               std::move(detail));
}

// What an answer with status "error" stands for. VictoriaMetrics writes HTTP statuses there.
struct ErrorTypeRow {
  std::string_view error_type;
  Code code;
  std::string_view message;
};
constexpr std::string_view kRejected = "Prometheus rejected the query; the log has its reason";
constexpr std::string_view kNotReady = "Prometheus is not ready to answer queries; try again";
constexpr std::array kErrorTypes = {
    ErrorTypeRow{"timeout", Code::kUpstreamQueryTimeout,
                 "Prometheus gave up on the query: it took longer than it allows"},
    ErrorTypeRow{"execution", Code::kUpstreamRejectedQuery, kRejected},
    ErrorTypeRow{"bad_data", Code::kUpstreamRejectedQuery, kRejected},
    ErrorTypeRow{"400", Code::kUpstreamRejectedQuery, kRejected},
    ErrorTypeRow{"422", Code::kUpstreamRejectedQuery, kRejected},
    ErrorTypeRow{"unavailable", Code::kUpstreamNotReady, kNotReady},
    ErrorTypeRow{"503", Code::kUpstreamNotReady, kNotReady},
};

// A query whose time ended while samples were read has failed in its execution, say Prometheus,
// Thanos and, the last one, VictoriaMetrics.
bool RanOutOfTime(const Answer& answer) {
  constexpr std::array<std::string_view, 3> kWords = {"context deadline exceeded",
                                                      "query timed out", "timeout exceeded"};
  return (answer.error_type == "execution" || answer.error_type == "422") &&
         std::any_of(kWords.begin(), kWords.end(), [&](std::string_view words) {
           return answer.error.find(words) != std::string_view::npos;
         });
}

tl::unexpected<Status> ErrorOf(const Answer& answer) {
  std::string detail =
      "errorType=" + Sanitised(answer.error_type) + " error=" + Sanitised(answer.error);
  const std::string_view type = RanOutOfTime(answer) ? "timeout" : answer.error_type;
  for (const ErrorTypeRow& row : kErrorTypes) {
    if (row.error_type == type) {
      return Error(row.code, std::string(row.message), std::move(detail));
    }
  }
  return Error(Code::kUpstreamError,
               "Prometheus failed to answer the query; the log has its reason", std::move(detail));
}

// Moves what `result_type` names out of `answer`.
Result<void> TakeValue(Answer& answer, const Backing& backing, QueryResult& result) {
  const bool is_list = answer.outer.count == 0;
  const bool is_pair = answer.outer.count == 2 && answer.outer.time_ok && answer.elements == 0;
  if (answer.result_type == "vector" && is_list) {
    result.bad_samples = answer.bad_values + static_cast<std::uint32_t>(answer.series.size());
    result.value = InstantVector{std::move(answer.samples), std::move(answer.labels), backing};
  } else if (answer.result_type == "matrix" && is_list) {
    result.bad_samples = answer.bad_points + static_cast<std::uint32_t>(answer.samples.size());
    result.value = RangeVector{std::move(answer.series), std::move(answer.points),
                               std::move(answer.labels), backing};
  } else if (answer.result_type == "scalar" && is_pair && answer.outer.value_ok) {
    result.value = Scalar{answer.outer.point};
  } else if (answer.result_type == "string" && is_pair && answer.outer.text.data() != nullptr) {
    result.value = String{answer.outer.point.at, std::string(answer.outer.text)};
  } else {
    return Invalid("its result is not what its resultType says",
                   "resultType=" + Sanitised(answer.result_type));
  }
  return {};
}

}  // namespace

Result<QueryResult> Decode(std::string body) {
  QueryResult result;
  result.bytes = body.size();
  if (body.empty()) return Invalid("it is empty");
  if (!IsAscii(body) && !IsValidUtf8(body)) body = ToValidUtf8(body);
  const auto text = std::make_shared<std::string>(std::move(body));
  Answer answer(*text);
  const Result<void> read =
      json::ReadInSitu(*text, answer, json::ReadOptions{.max_depth = Answer::kMaxDepth});
  if (!read) {
    return answer.refusal != nullptr ? Invalid(answer.refusal, read.error().message)
                                     : Invalid("it is not whole JSON", read.error().message);
  }
  if (answer.status == "error") return ErrorOf(answer);
  if (answer.status != "success") {
    return Invalid("its status is neither success nor error", "status=" + Sanitised(answer.status));
  }
  if (!answer.has_data) return Invalid("it has no data");
  if (!answer.has_result) return Invalid("its data has no result");
  if (const Result<void> taken = TakeValue(answer, text, result); !taken) {
    return Error(taken.error());
  }
  result.warnings = std::move(answer.warnings);
  result.infos = std::move(answer.infos);
  result.partial = answer.partial;
  return result;
}

}  // namespace gpumon::prom
