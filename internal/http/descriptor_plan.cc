#include "internal/http/descriptor_plan.h"

#include <sys/resource.h>

#include <algorithm>

namespace gpumon::http {
namespace {

constexpr std::size_t kOthers = 1024;  // upstream connections, files, other servers
constexpr std::size_t kRefusals = 256;
constexpr std::size_t kLeaving = 1024;

}  // namespace

DescriptorPlan PlanDescriptors(std::size_t wanted, std::size_t limit) {
  const std::size_t others = std::min(kOthers, limit / 4);
  const std::size_t refusals = std::min(kRefusals, limit / 16);
  DescriptorPlan plan;
  plan.refusals = refusals;
  plan.leaving = std::min(kLeaving, limit / 16);
  const std::size_t possible = (limit - others - plan.leaving) / 2 - refusals;
  plan.connections = std::max<std::size_t>(1, std::min(wanted, possible));
  plan.first_duplicate = static_cast<int>(others + plan.leaving + plan.connections + refusals);
  return plan;
}

DescriptorPlan PlanDescriptors(std::size_t wanted) {
  constexpr std::size_t kFallback = 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return PlanDescriptors(wanted, kFallback);
  const rlim_t needed = kOthers + kLeaving + 2 * (wanted + kRefusals);
  if (limit.rlim_cur < needed) {
    rlimit raised = limit;
    raised.rlim_cur = std::min(limit.rlim_max, needed);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return PlanDescriptors(wanted, static_cast<std::size_t>(std::min(limit.rlim_cur, needed)));
}

}  // namespace gpumon::http
