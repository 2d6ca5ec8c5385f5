#include "tests/e2e/chaos_model.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/e2e/generations.h"
#include "tests/e2e/scripted_fleet.h"
#include "tests/e2e/upstream_fault.h"

namespace gpumon::e2e {
namespace {

using fault::FaultServer;
using fault::Reply;
using fault::Request;
using Kind = Reply::Fault;

// An error stands so long before Prometheus is asked again.
constexpr Millis kRetryAfter{1000};
// The check that /api/healthz tells of: from one to the next, and its time.
constexpr Millis kHealthAge{4000};
// Longer than viewers wait who may have what there is.
constexpr Millis kLate{1200};
// By which two readings of clocks may differ.
constexpr Millis kClocks{50};

ChaosWay FaultWay(const UpstreamFault& fault) {
  ChaosWay way;
  way.name = fault.name;
  way.begin = [fault](FaultServer& server) {
    if (fault.port == Port::kOpen) server.ComeBack();
    Inject(server, fault);
  };
  way.status = fault.status;
  way.code = fault.code;
  // It is not asked for a second, and then the answer stands.
  if (way.code == "upstream_throttled") way.afterwards = 2 * kRetryAfter;
  return way;
}

ChaosWay ScriptWay(std::string name, FaultServer::Script script) {
  ChaosWay way;
  way.name = std::move(name);
  way.begin = [script = std::move(script)](FaultServer& server) {
    server.SetScript(script);
    server.ComeBack();
  };
  return way;
}

ChaosWay GoodWay(std::string name, Reply (*change)(Reply)) {
  ChaosWay way = ScriptWay(std::move(name), [change](const Request& request) {
    return change(GenerationReply(request));
  });
  way.answers = true;
  way.fails = false;
  return way;
}

// One query of each list.
bool IsChosen(const Request& request) {
  return Asks(request, "nvidia_gpu_utilization_percent") ||
         Asks(request, "nvidia_gpu_process_cpu_percent");
}

std::vector<ChaosWay> PartlyFailing() {
  ChaosWay failing = ScriptWay("OneQueryFails", [](const Request& request) {
    return IsChosen(request) ? fault::HttpStatus(500) : GenerationReply(request);
  });
  ChaosWay hanging = ScriptWay("OneQueryHangs", [](const Request& request) {
    return IsChosen(request) ? fault::Broken(Kind::kHang) : GenerationReply(request);
  });
  hanging.status = 504;
  hanging.code = "upstream_timeout";
  // One of three; each is asked once more.
  ChaosWay resetting = ScriptWay("SomeAreReset", [](const Request& request) {
    const bool reset = (request.connection + request.body.size()) % 3 == 0;
    return reset ? fault::Broken(Kind::kReset) : GenerationReply(request);
  });
  resetting.answers = true;
  resetting.status = 502;
  resetting.code = "upstream_unreachable";
  // Viewers do not wait for it, and beside others it may be too late.
  ChaosWay late = GoodWay("AnswersAfterMoreThanASecond",
                          [](Reply reply) { return std::move(reply).After(kLate); });
  late.fails = true;
  late.status = 504;
  late.code = "upstream_timeout";
  late.afterwards = kLate;
  return {failing, hanging, resetting, late};
}

std::vector<ChaosWay> Good() {
  return {
      GoodWay("Answers", [](Reply reply) { return reply; }),
      GoodWay("AnswersLate", [](Reply reply) { return std::move(reply).After(Millis(80)); }),
      GoodWay("IsSliced", [](Reply reply) { return std::move(reply).InPieces(17); }),
      GoodWay("IsNarrow", [](Reply reply) { return std::move(reply).InPieces(1000, Millis(20)); }),
      GoodWay("ClosesSlowly",
              [](Reply reply) { return std::move(reply).SlowlyClosed(Millis(300)); }),
      GoodWay("ClosesUntold", [](Reply reply) { return std::move(reply).ThenClosed(); }),
  };
}

}  // namespace

std::vector<ChaosWay> ChaosWays() {
  std::vector<ChaosWay> ways = Good();
  for (ChaosWay& way : PartlyFailing()) ways.push_back(std::move(way));
  for (const auto& faults : {TransportFaults(), ContentFaults()}) {
    for (const UpstreamFault& fault : faults) {
      if (std::string_view(fault.retry_after).size() < 2 &&
          std::string_view(fault.retry_after) < "2") {
        ways.push_back(FaultWay(fault));
      }
    }
  }
  return ways;
}

ChaosModel::ChaosModel(std::vector<ChaosPhase> phases, ChaosLimits limits)
    : phases_(std::move(phases)), limits_(limits) {}

bool ChaosModel::Any(SteadyTime from, SteadyTime to, const Is& is) const {
  return std::any_of(phases_.begin(), phases_.end(), [&](const ChaosPhase& phase) {
    return phase.begin <= to && phase.end + phase.way->afterwards >= from && is(*phase.way);
  });
}

std::string ChaosModel::WaysBetween(SteadyTime from, SteadyTime to) const {
  std::string names;
  for (const ChaosPhase& phase : phases_) {
    if (phase.begin > to || phase.end < from) continue;
    const auto before = std::chrono::duration_cast<Millis>(to - phase.begin);
    names += phase.way->name + " since " + std::to_string(before.count()) + " ms, ";
  }
  return names;
}

SteadyTime ChaosModel::Known(std::size_t part, SteadyTime by) const {
  const auto found = known_.find(part);
  if (found == known_.end()) return SteadyTime::min();
  const auto after = found->second.upper_bound(by);
  return after == found->second.begin() ? SteadyTime::min() : std::prev(after)->second;
}

std::string ChaosModel::Judge(const SeenAnswer& answer) {
  const bool probe = answer.asked == Asked::kProbe || answer.asked == Asked::kHealth;
  const Millis longest = probe ? 2 * limits_.slack : limits_.timeout + limits_.slack;
  if (answer.came - answer.sent > longest) return "it took too long";
  if (!answer.wrong.empty()) return answer.wrong;
  if (answer.asked == Asked::kProbe) return answer.status == 200 ? "" : "a probe that fails";
  if (answer.asked == Asked::kHealth) return JudgeHealth(answer);
  std::string why = answer.status == 200 ? JudgeList(answer) : JudgeFailure(answer);
  if (answer.status == 200 && answer.asked != Asked::kPast) {
    auto& known = known_[answer.part];
    const SteadyTime newest = known.empty() ? SteadyTime::min() : known.rbegin()->second;
    known[answer.came] = std::max(newest, answer.as_of);
  }
  return why;
}

std::string ChaosModel::JudgeList(const SeenAnswer& answer) const {
  const bool past = answer.asked == Asked::kPast;
  const auto fails = [](const ChaosWay& way) { return way.fails; };
  if (answer.partial && answer.asked == Asked::kNeverPartial) return "partial, not wanted";
  if (answer.stale) {
    if (past || answer.asked == Asked::kNeverStale) return "stale, not wanted";
    const auto age = answer.came - answer.as_of;
    if (age > limits_.max_stale + limits_.slack) return "older than MAX_STALE";
    // The failed refresh, the time that it stands, and the next refresh, which may begin as much
    // later.
    const Millis felt = 2 * (limits_.timeout + kRetryAfter) + limits_.slack;
    return Any(answer.sent - felt, answer.came, fails) ? "" : "stale without a cause";
  }
  if (!past && answer.sent - answer.as_of > limits_.ttl + limits_.timeout + limits_.slack) {
    return "too old not to be called stale";
  }
  if (answer.partial) {
    const SteadyTime asked = past ? answer.sent : answer.as_of - kClocks;
    return Any(asked - limits_.timeout, answer.came, fails) ? "" : "partial without a cause";
  }
  // It was made of the last answers, and kept for the cache's time.
  const SteadyTime made = answer.sent - (past ? Millis(0) : limits_.ttl) - limits_.slack;
  const auto answers = [](const ChaosWay& way) { return way.answers; };
  return Any(made, answer.came, answers) ? "" : "whole, though nobody answered";
}

std::string ChaosModel::JudgeFailure(const SeenAnswer& answer) const {
  // From a refresh that began a time-out and an error's time ago, or that waited as long for
  // queries that hung.
  const SteadyTime from = answer.sent - kRetryAfter - limits_.timeout - limits_.slack;
  if (answer.asked == Asked::kNeverPartial && answer.code == "upstream_partial") {
    const bool caused = Any(from, answer.came, [](const ChaosWay& way) { return way.fails; });
    return answer.status == 502 && caused ? "" : "refused as partial without a cause";
  }
  const bool caused = Any(
      answer.code == "upstream_timeout" ? from - limits_.timeout : from, answer.came,
      [&](const ChaosWay& way) { return way.status == answer.status && way.code == answer.code; });
  if (!caused) return "an error without a cause";
  if (answer.asked == Asked::kNeverStale || answer.asked == Asked::kPast) return "";
  const SteadyTime known = Known(answer.part, answer.sent);
  return known != SteadyTime::min() && answer.came - known + kClocks < limits_.max_stale
             ? "an error though there was a snapshot"
             : "";
}

std::string ChaosModel::JudgeHealth(const SeenAnswer& answer) const {
  const SteadyTime from = answer.sent - kHealthAge - limits_.slack;
  if (answer.status == 503) {
    return Any(from, answer.came, [](const ChaosWay& way) { return way.fails; })
               ? ""
               : "unhealthy without a cause";
  }
  // Answers of another type are answers.
  const auto answers = [](const ChaosWay& way) {
    return way.answers || way.status == 0 || way.name == "OneQueryHangs" ||
           way.code == "upstream_invalid";
  };
  if (answer.status != 200) return "neither healthy nor unhealthy";
  return Any(from, answer.came, answers) ? "" : "healthy though nobody answered";
}

}  // namespace gpumon::e2e
