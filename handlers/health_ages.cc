#include "handlers/health_ages.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gpumon::handlers {
namespace {

using fleet::FindingAges;
using fleet::Health;
using models::GpuMetrics;
using models::Quantity;
using models::Snapshot;
using models::Text;

constexpr double kBefore = 3600;  // seconds
constexpr double kFinest = 60;
// What one such walk may look at.
constexpr std::size_t kMostRows = 300'000;

// What fleet::Assess reads.
constexpr std::array kRead = {
    Quantity::kTemperature,
    Quantity::kUtilization,
    Quantity::kMemoryUsedPercent,
    Quantity::kPower,
    Quantity::kPowerLimit,
    Quantity::kSmClock,
    Quantity::kSmClockMax,
    Quantity::kThrottleReasons,
    Quantity::kXidLast,
    Quantity::kEccCorrectedVolatile,
    Quantity::kEccUncorrectedVolatile,
    Quantity::kRowRemapPending,
    Quantity::kRowRemapFailure,
    Quantity::kNvlinkErrors,
};

// What tells a GPU or an instance from others, for good.
std::string KeyOf(const GpuMetrics& gpu) {
  std::string key(gpu.text(Text::kNode));
  const std::string_view uuid = gpu.text(Text::kUuid);
  key.append(1, '\0').append(uuid.empty() ? gpu.text(Text::kGpuId) : uuid);
  for (const Text text : {Text::kMigGpuInstance, Text::kMigComputeInstance, Text::kMigUuid}) {
    key.append(1, '\0').append(gpu.text(text));
  }
  return key;
}

gpu::RangeWant HourUpTo(const Snapshot& gpus) {
  const std::size_t rows = std::max<std::size_t>(gpus.gpus.size(), 1);
  const std::size_t most = std::max<std::size_t>(kMostRows / rows, 2);
  gpu::RangeWant want;
  want.step = std::max(kFinest, std::ceil(kBefore / static_cast<double>(most - 1)));
  want.steps = static_cast<std::size_t>(kBefore / want.step) + 1;
  want.start = gpus.as_of - want.step * static_cast<double>(want.steps - 1);
  want.parts = {{.part = models::Part::kGpus}};
  for (const Quantity quantity : kRead) {
    want.parts[0].quantities.set(static_cast<std::size_t>(quantity));
  }
  return want;
}

}  // namespace

std::vector<std::vector<std::optional<double>>> LookAt(const Snapshot& gpus,
                                                       const std::vector<Health>& healths,
                                                       FindingAges& ages) {
  std::vector<FindingAges::Found> found;
  for (std::size_t i = 0; i < healths.size(); ++i) {
    found.push_back({KeyOf(gpus.gpus[i]), &healths[i].findings});
  }
  return ages.Look(gpus.as_of, found);
}

void LearnAges(const CallPtr& call, const Snapshot& gpus) {
  const Services& services = call->services();
  if (!services.finding_ages.WantsPast(services.clock.Steady())) return;
  const auto past = std::make_shared<FindingAges>(FindingAges::Looks::kAreAll);
  const gpu::RangeWant want = HourUpTo(gpus);
  services.walk(
      want, Deadline::After(services.clock, services.settings.request_timeout),
      [past, &services, step = want.step](std::size_t,
                                          std::span<const models::SnapshotPtr> snapshots) {
        const Snapshot& then = *snapshots[0];
        if (!then.partial) services.seen_gpus.LearnStep(then, step);
        std::vector<Health> healths;
        for (const GpuMetrics& gpu : then.gpus) {
          healths.push_back(fleet::Assess(gpu, services.settings.health_rules));
        }
        LookAt(then, healths, *past);
        return true;
      },
      [past, &services](const Result<gpu::RangeEnd>& end) {
        if (end) services.finding_ages.Learn(*past);
      });
}

}  // namespace gpumon::handlers
