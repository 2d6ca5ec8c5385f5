#include "internal/hakuriver/failure.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "internal/base/words.h"
#include "internal/hakuriver/models.h"

namespace gpumon::hakuriver {
namespace {

std::string Task(const Call& call) {
  return "task " + call.subject;
}

// The state that the host's own words name, " (completed)"; "" when they name none.
std::string StateIn(std::string_view detail) {
  std::string_view found;
  for (const std::string_view state : WordsOf(kTaskStates)) {
    const std::size_t at = detail.rfind(state);
    if (at == std::string_view::npos || state.size() <= found.size()) continue;
    // "paused" of "cannot be paused" is what was asked for, "running" of "not running" was wanted.
    const std::string_view before = detail.substr(0, at);
    if (before.ends_with("cannot be ") || before.ends_with("not ")) continue;
    found = state;
  }
  return found.empty() ? std::string() : " (" + std::string(found) + ')';
}

std::string Verb(What what) {
  if (what == What::kKill) return "killed";
  return what == What::kPause ? "paused" : "resumed";
}

Status NoState(const Call& call, const std::string& detail) {
  return {Code::kBadRequest,
          Task(call) + " cannot be " + Verb(call.what) + " in its state" + StateIn(detail), detail};
}

Status NoLog(const Call& call, const std::string& detail) {
  return {Code::kInvalidParameter,
          Task(call) +
              " is a VPS, which writes no log: what it prints goes to whoever is connected to it "
              "by ssh",
          detail};
}

Status NotFound(const std::string& name, const Call& call, const fetch::Response& response) {
  const std::string detail = DetailOf(response.body);
  if (!SaysNoSuch(call, detail)) {
    return {Code::kUpstreamInvalid,
            name +
                " has no such page (404): it is no HakuRiver host, or the path in its URL is "
                "wrong",
            detail};
  }
  if (call.what == What::kHealth) {
    return {Code::kNotFound, name + " has no health of a node " + call.subject, detail};
  }
  return {Code::kNotFound, name + " has no " + Task(call), detail};
}

int RetryAfter(const fetch::Response& response) {
  constexpr int kMost = 60;
  int seconds = 0;
  const std::string& text = response.retry_after;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || seconds < 1) return 1;
  return seconds > kMost ? kMost : seconds;
}

struct Row {
  int first;
  int last;
  Code code;
  std::string_view clause;  // behind the name; `#` is the status
};

// The first that holds counts.
constexpr std::array kRows = {
    Row{401, 401, Code::kUpstreamAuth, " wants a token, or another one (401)"},
    Row{403, 403, Code::kUpstreamAuth,
        " refuses this (403): there is no token, or its user's role is too low"},
    Row{422, 422, Code::kInvalidParameter, " does not take that parameter (422)"},
    Row{429, 429, Code::kUpstreamThrottled, " asks us to slow down (429); try again later"},
    Row{300, 399, Code::kUpstreamInvalid,
        " redirects (#), which is not followed: give the URL where it ends"},
    Row{502, 504, Code::kUpstreamNotReady, " is not ready (#); try again later"},
    Row{500, 599, Code::kUpstreamError, " failed (#); its own log has the reason"},
    Row{0, 999, Code::kUpstreamInvalid, " answers # where HakuRiver would not"},
};

Status OfStatus(const std::string& name, const fetch::Response& response) {
  for (const Row& row : kRows) {
    if (response.status < row.first || response.status > row.last) continue;
    std::string clause(row.clause);
    if (const std::size_t at = clause.find('#'); at != std::string::npos) {
      clause.replace(at, 1, std::to_string(response.status));
    }
    const bool later = row.code == Code::kUpstreamThrottled || row.code == Code::kUpstreamNotReady;
    return {row.code, name + clause, DetailOf(response.body), later ? RetryAfter(response) : 0};
  }
  return Unreadable(name, "its status is none");
}

bool WantsHttps(const fetch::Response& response) {
  return response.status == 400 && response.body.find("HTTPS") != std::string::npos;
}

}  // namespace

Status Unreached(const std::string& name, const Status& why) {
  switch (why.code) {
    case Code::kUpstreamTooLarge:
      return {why.code, "the answer of " + name + " is larger than allowed", why.detail};
    case Code::kUpstreamAuth:
    case Code::kDraining:
      return why;
    case Code::kUpstreamInvalid:
    case Code::kInternal:
      return {why.code, name + " cannot be asked: " + why.message, why.detail};
    default:
      return {why.code, name + " does not answer: " + why.message, why.detail};
  }
}

Status FailureOf(const std::string& name, const Call& call, const fetch::Response& response) {
  if (WantsHttps(response)) {
    return {Code::kUpstreamTls, name + " speaks https there: write https in its URL", ""};
  }
  if (response.status == 404) return NotFound(name, call, response);
  const std::string detail = DetailOf(response.body);
  if (response.status == 400 && IsLog(call.what)) return NoLog(call, detail);
  if ((response.status == 400 || response.status == 409) && IsAction(call.what)) {
    return NoState(call, detail);
  }
  return OfStatus(name, response);
}

Status Unreadable(const std::string& name, std::string what) {
  return {Code::kUpstreamInvalid,
          "what answers as " + name + " is not HakuRiver's API: " + std::move(what)};
}

}  // namespace gpumon::hakuriver
