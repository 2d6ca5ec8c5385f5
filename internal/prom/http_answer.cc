#include "internal/prom/http_answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "internal/base/text.h"
#include "internal/fetch/url.h"
#include "internal/prom/answer.h"
#include "internal/prom/decode.h"

namespace gpumon::prom {
namespace {

constexpr int kMinRetryAfter = 1;
constexpr int kMaxRetryAfter = 60;
constexpr int kUsualRetryAfter = 1;

bool IsJson(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return EqualsIgnoreCase(type, "application/json");
}

// What Go and nginx answer to http on a port that speaks https.
bool WantsHttps(std::string_view body) {
  return body.find("HTTP request to an HTTPS server") != std::string_view::npos ||
         body.find("plain HTTP request was sent to HTTPS port") != std::string_view::npos;
}

double Now(const fetch::Response& response, const Clock& clock) {
  if (const std::optional<double> date = fetch::ParseDate(response.date)) return *date;
  return std::chrono::duration<double>(clock.Wall().time_since_epoch()).count();
}

int RetryAfter(const fetch::Response& response, const Clock& clock) {
  const std::string& text = response.retry_after;
  double seconds = kUsualRetryAfter;
  int whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size()) {
    seconds = whole;
  } else if (error == std::errc::result_out_of_range) {
    seconds = kMaxRetryAfter;
  } else if (const std::optional<double> date = fetch::ParseDate(text)) {
    seconds = std::ceil(*date - Now(response, clock));
  }
  return static_cast<int>(std::clamp<double>(seconds, kMinRetryAfter, kMaxRetryAfter));
}

Status NotPrometheus(std::string detail) {
  return {Code::kUpstreamNotPrometheus,
          "what answers at PROMETHEUS_URL is not Prometheus's API; check the URL and its path",
          std::move(detail)};
}

// A failure that says why in Prometheus's own words, when it does.
Status FailureOf(fetch::Response& response, const std::string& detail) {
  const bool client_error = response.status < 500;
  if (!IsJson(response.content_type)) {
    if (client_error) return NotPrometheus(detail + " body=" + Sanitised(response.body));
    return {Code::kUpstreamError, "Prometheus failed to answer the query; the log has its reason",
            detail + " body=" + Sanitised(response.body)};
  }
  Result<QueryResult> decoded = Decode(std::move(response.body));
  const std::string reason = decoded ? "status \"success\"" : decoded.error().detail;
  if (!decoded && decoded.error().code == Code::kUpstreamQueryTimeout) {
    return {Code::kUpstreamQueryTimeout, decoded.error().message, detail + " " + reason};
  }
  if (client_error) {
    return {Code::kUpstreamRejectedQuery, "Prometheus rejected the query; the log has its reason",
            detail + " " + reason};
  }
  return {Code::kUpstreamError, "Prometheus failed to answer the query; the log has its reason",
          detail + " " + reason};
}

// For every status but 200.
Status StatusOf(fetch::Response& response, const Clock& clock) {
  const std::string detail = "status=" + std::to_string(response.status);
  const int status = response.status;
  if (status == 401 || status == 403) {
    return {Code::kUpstreamAuth,
            "Prometheus refused our credentials; check PROMETHEUS_BEARER_TOKEN_FILE or "
            "PROMETHEUS_BASIC_AUTH_FILE",
            detail};
  }
  if (status == 429) {
    return Throttled(detail, RetryAfter(response, clock));
  }
  if (status == 503) {
    const int retry_after = RetryAfter(response, clock);
    Status failure = FailureOf(response, detail);
    if (failure.code == Code::kUpstreamQueryTimeout) return failure;
    return {Code::kUpstreamNotReady, "Prometheus is not ready to answer queries; try again later",
            std::move(failure.detail), retry_after};
  }
  if (status >= 200 && status < 300) {
    return {Code::kUpstreamInvalid,
            "Prometheus's answer cannot be used: its status is " + std::to_string(status) +
                ", not 200; check that PROMETHEUS_URL is a Prometheus server",
            detail};
  }
  if (status == 400 && WantsHttps(response.body)) {
    return {Code::kUpstreamTls, "Prometheus speaks https there; write https in PROMETHEUS_URL",
            detail};
  }
  if (status < 400 || status == 404) return NotPrometheus(detail);
  return FailureOf(response, detail);
}

}  // namespace

Status Throttled(std::string detail, int retry_after_s) {
  return {Code::kUpstreamThrottled, "Prometheus asks us to slow down; try again later",
          std::move(detail), retry_after_s};
}

Result<QueryResult> ReadHttpAnswer(fetch::Response response, const Clock& clock) {
  if (response.status != 200) return Error(StatusOf(response, clock));
  if (!response.body.empty() && !IsJson(response.content_type)) {
    return Error(NotPrometheus("status=200 content-type=" + Sanitised(response.content_type)));
  }
  const std::optional<double> server_time = fetch::ParseDate(response.date);
  Result<QueryResult> decoded = Decode(std::move(response.body));
  if (decoded) {
    decoded->server_time = server_time;
  } else if (decoded.error().code == Code::kUpstreamNotReady) {
    decoded.error().retry_after_s = kUsualRetryAfter;
  }
  return decoded;
}

}  // namespace gpumon::prom
