#include "internal/http/descriptor_plan.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace gpumon::http {
namespace {

constexpr std::size_t kOthers = 1024;  // upstream connections, files, other servers
constexpr std::size_t kRefusals = 256;
constexpr std::size_t kLeaving = 1024;

// With less nobody can be served.
constexpr std::size_t kLeastOthers = 88;  // 20 from the start on, and a set of queries upstream
constexpr std::size_t kOfThread = 8;      // the listener library opens 7 for each
constexpr std::size_t kLeastRefusals = 4;
constexpr std::size_t kLeastLeaving = 8;
constexpr std::size_t kLeastConnections = 16;

std::size_t LeastOthers(int threads) {
  return kLeastOthers + kOfThread * static_cast<std::size_t>(threads);
}

std::size_t Least(int threads) {
  return LeastOthers(threads) + kLeastLeaving + 2 * (kLeastConnections + kLeastRefusals);
}

std::size_t Wanted(std::size_t connections) {
  return kOthers + kLeaving + 2 * (connections + kRefusals);
}

}  // namespace

Result<DescriptorPlan> PlanDescriptors(std::size_t wanted, int threads, std::size_t limit) {
  if (limit < Least(threads)) {
    const std::string most = std::to_string(Wanted(wanted));
    return Error(Code::kUnavailable, "the limit of open files is " + std::to_string(limit) +
                                         ", and this server needs " +
                                         std::to_string(Least(threads)) + " or more (" + most +
                                         " for " + std::to_string(wanted) +
                                         " connections); raise it, as with `ulimit -n " + most +
                                         "` or the service's LimitNOFILE");
  }
  const std::size_t others = std::max(LeastOthers(threads), std::min(kOthers, limit / 4));
  const std::size_t spare = limit - others;
  DescriptorPlan plan;
  plan.refusals = std::clamp(spare / 16, kLeastRefusals, kRefusals);
  plan.leaving = std::clamp(spare / 16, kLeastLeaving, kLeaving);
  const std::size_t possible = (spare - plan.leaving) / 2 - plan.refusals;
  plan.connections = std::min(wanted, possible);
  // What so many connections do not need: a flood is closed faster than the library notices.
  const std::size_t used = plan.leaving + 2 * (plan.connections + plan.refusals);
  plan.leaving = std::min(kLeaving, plan.leaving + (spare - used));
  plan.first_duplicate = static_cast<int>(others + plan.leaving + plan.connections + plan.refusals);
  return plan;
}

Result<DescriptorPlan> PlanDescriptors(std::size_t wanted, int threads) {
  constexpr std::size_t kFallback = 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return PlanDescriptors(wanted, threads, kFallback);
  const rlim_t needed = Wanted(wanted);
  if (limit.rlim_cur < needed) {
    rlimit raised = limit;
    raised.rlim_cur = std::min(limit.rlim_max, needed);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return PlanDescriptors(wanted, threads,
                         static_cast<std::size_t>(std::min(limit.rlim_cur, needed)));
}

}  // namespace gpumon::http
