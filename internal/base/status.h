// Errors are values. One row per code, in kCodes: its wire name and HTTP status.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gpumon {

// What went wrong. kOk is never inside an error.
enum class Code : std::uint8_t {
  kOk,
  // The client's side.
  kInvalidParameter,
  kBadRequest,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kMethodNotAllowed,
  kRequestTimeout,
  kPayloadTooLarge,
  kUriTooLong,
  kExpectationFailed,
  kTooManyRequests,
  kHeadersTooLarge,
  // Ours.
  kInternal,
  kNotImplemented,
  kOverloaded,
  kDraining,
  kHttpVersion,
  kUnavailable,  // something of this process is switched off or cannot work here
  // Prometheus's side.
  kUpstreamUnreachable,
  kUpstreamTls,
  kUpstreamAuth,
  kUpstreamNotPrometheus,
  kUpstreamInvalid,
  kUpstreamTooLarge,
  kUpstreamError,
  kUpstreamRejectedQuery,
  kUpstreamPartial,
  kUpstreamNotReady,
  kUpstreamThrottled,
  kUpstreamTimeout,
  kUpstreamQueryTimeout,
  kCount
};

struct CodeRow {
  Code code;
  std::string_view name;  // the envelope's `code`
  int http_status;
};

inline constexpr std::array kCodes = {
    CodeRow{Code::kOk, "ok", 200},
    CodeRow{Code::kInvalidParameter, "invalid_parameter", 400},
    CodeRow{Code::kBadRequest, "bad_request", 400},
    CodeRow{Code::kUnauthorized, "unauthorized", 401},
    CodeRow{Code::kForbidden, "forbidden", 403},
    CodeRow{Code::kNotFound, "not_found", 404},
    CodeRow{Code::kMethodNotAllowed, "method_not_allowed", 405},
    CodeRow{Code::kRequestTimeout, "bad_request", 408},
    CodeRow{Code::kPayloadTooLarge, "payload_too_large", 413},
    CodeRow{Code::kUriTooLong, "bad_request", 414},
    CodeRow{Code::kExpectationFailed, "bad_request", 417},
    CodeRow{Code::kTooManyRequests, "too_many_requests", 429},
    CodeRow{Code::kHeadersTooLarge, "bad_request", 431},
    CodeRow{Code::kInternal, "internal", 500},
    CodeRow{Code::kNotImplemented, "bad_request", 501},
    CodeRow{Code::kOverloaded, "overloaded", 503},
    CodeRow{Code::kDraining, "draining", 503},
    CodeRow{Code::kHttpVersion, "bad_request", 505},
    CodeRow{Code::kUnavailable, "internal", 501},
    CodeRow{Code::kUpstreamUnreachable, "upstream_unreachable", 502},
    CodeRow{Code::kUpstreamTls, "upstream_tls", 502},
    CodeRow{Code::kUpstreamAuth, "upstream_auth", 502},
    CodeRow{Code::kUpstreamNotPrometheus, "upstream_not_prometheus", 502},
    CodeRow{Code::kUpstreamInvalid, "upstream_invalid", 502},
    CodeRow{Code::kUpstreamTooLarge, "upstream_too_large", 502},
    CodeRow{Code::kUpstreamError, "upstream_error", 502},
    CodeRow{Code::kUpstreamRejectedQuery, "upstream_rejected_query", 502},
    CodeRow{Code::kUpstreamPartial, "upstream_partial", 502},
    CodeRow{Code::kUpstreamNotReady, "upstream_not_ready", 503},
    CodeRow{Code::kUpstreamThrottled, "upstream_throttled", 503},
    CodeRow{Code::kUpstreamTimeout, "upstream_timeout", 504},
    CodeRow{Code::kUpstreamQueryTimeout, "upstream_query_timeout", 504},
};
static_assert(kCodes.size() == static_cast<std::size_t>(Code::kCount));
static_assert(
    [] {
      for (std::size_t i = 0; i < kCodes.size(); ++i) {
        if (static_cast<std::size_t>(kCodes[i].code) != i) return false;
      }
      return true;
    }(),
    "kCodes is in the order of Code");

constexpr const CodeRow& RowOf(Code code) {
  return kCodes[static_cast<std::size_t>(code)];
}

// An error: a code, a sentence for the client, and what only the log may show. A value type.
struct [[nodiscard]] Status {
  Code code = Code::kInternal;
  // What happened, where, and the next step. Safe to show: no secret, URL with credentials,
  // upstream text or exception text.
  std::string message;
  // For the log beside the request id, never for a client.
  std::string detail = {};
  // Seconds a client should wait before it asks again; 0 = say nothing.
  int retry_after_s = 0;

  std::string_view wire_name() const { return RowOf(code).name; }
  int http_status() const { return RowOf(code).http_status; }
};

}  // namespace gpumon
