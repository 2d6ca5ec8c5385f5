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
using models::NodeQuantity;
using models::Quantity;
using models::Snapshot;
using models::Text;

// Seconds.
struct Span {
  double begin;  // before the look
  double end;
  double finest;
};
constexpr Span kDay{25.0 * 3600, 3600, 900};
constexpr Span kHour{3600, 0, 60};
// What one such walk may look at; somebody waits for that of a past instant.
constexpr std::size_t kMostRows = 300'000;
constexpr std::size_t kMostRowsAt = 60'000;

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

// What fleet::AssessHost reads of a machine's past.
constexpr std::array kReadOfHosts = {
    NodeQuantity::kReady,           NodeQuantity::kMemoryTotal,
    NodeQuantity::kMemoryAvailable, NodeQuantity::kMemoryUsedPercent,
    NodeQuantity::kGpusCapacity,    NodeQuantity::kGpusAllocatable,
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

std::pair<std::string, std::string> PlaceOf(const GpuMetrics& gpu) {
  const std::string_view uuid = gpu.text(Text::kUuid);
  return {std::string(gpu.text(Text::kNode)),
          std::string(uuid.empty() ? gpu.text(Text::kGpuId) : uuid)};
}

gpu::RangeWant WantOf(const Snapshot& gpus, const Span& span, std::size_t most_rows) {
  const std::size_t rows = std::max<std::size_t>(gpus.gpus.size(), 1);
  const std::size_t most = std::max<std::size_t>(most_rows / rows, 2);
  const double length = span.begin - span.end;
  gpu::RangeWant want;
  want.step = std::max(span.finest, std::ceil(length / static_cast<double>(most - 1)));
  want.steps = static_cast<std::size_t>(length / want.step) + 1;
  want.start = gpus.as_of - span.end - want.step * static_cast<double>(want.steps - 1);
  want.parts = {{.part = models::Part::kGpus}, {.part = models::Part::kNodes}};
  for (const Quantity quantity : kRead) {
    want.parts[0].quantities.set(static_cast<std::size_t>(quantity));
  }
  for (const NodeQuantity quantity : kReadOfHosts) {
    want.parts[1].of_nodes.set(static_cast<std::size_t>(quantity));
  }
  return want;
}

// A walk through the past of a look.
struct Walk {
  models::SnapshotPtr gpus;
  std::size_t most_rows;
  Millis time;                                             // for each span
  std::function<bool()> wanted;                            // as long as this
  std::function<void(const Snapshot&, double step)> also;  // of the hour
  std::function<void(const std::shared_ptr<PastAges>&, bool good)> then;
};

void Go(const Services& services, const std::shared_ptr<const Walk>& walk, const Span& span,
        const std::shared_ptr<PastAges>& past) {
  const gpu::RangeWant want = WantOf(*walk->gpus, span, walk->most_rows);
  const bool is_hour = span.end == 0;
  services.walk(
      want, Deadline::After(services.clock, walk->time),
      [walk, past, is_hour, &services, step = want.step](
          std::size_t, std::span<const models::SnapshotPtr> snapshots) {
        const Snapshot& then = *snapshots[0];
        if (is_hour && walk->also) walk->also(then, step);
        std::vector<Health> healths;
        for (const GpuMetrics& gpu : then.gpus) {
          healths.push_back(fleet::Assess(gpu, services.settings.health_rules));
          if (is_hour) past->seen[PlaceOf(gpu)] = then.as_of;
        }
        // Its disks and whether its exporters were up a window does not tell.
        HostHealths hosts;
        for (const models::Node& node : snapshots[1]->nodes) {
          hosts[node.name] = fleet::AssessHost(node, {}, {}, true, services.settings.health_rules);
        }
        LookAt(then, healths, hosts, past->findings);
        return walk->wanted();
      },
      [walk, past, is_hour, &services](const Result<gpu::RangeEnd>& end) {
        if (is_hour) return walk->then(past, end.has_value());
        // Of a day that could not be walked through whole nothing is known.
        Go(services, walk, kHour, end ? past : std::make_shared<PastAges>());
      });
}

void Start(const Services& services, Walk walk) {
  Go(services, std::make_shared<const Walk>(std::move(walk)), kDay, std::make_shared<PastAges>());
}

}  // namespace

std::vector<std::vector<fleet::Began>> LookAt(const Snapshot& gpus,
                                              const std::vector<Health>& healths,
                                              const HostHealths& hosts, FindingAges& ages) {
  std::vector<FindingAges::Found> found;
  for (std::size_t i = 0; i < healths.size(); ++i) {
    found.push_back({KeyOf(gpus.gpus[i]), &healths[i].findings});
  }
  for (const auto& [name, host] : hosts) found.push_back({std::string(name), &host.findings});
  return ages.Look(gpus.as_of, found);
}

void LearnAges(const CallPtr& call, const models::SnapshotPtr& gpus) {
  const Services& services = call->services();
  if (!services.finding_ages.WantsPast(services.clock.Steady())) return;
  Start(services, {gpus, kMostRows, services.settings.request_timeout, [] { return true; },
                   [&services](const Snapshot& then, double step) {
                     if (!then.partial) services.seen_gpus.LearnStep(then, step);
                   },
                   [&services](const std::shared_ptr<PastAges>& past, bool good) {
                     if (good) services.finding_ages.Learn(past->findings);
                   }});
}

void AgesAt(const CallPtr& call, const models::SnapshotPtr& gpus,
            std::function<void(const std::shared_ptr<PastAges>&)> then) {
  const Services& services = call->services();
  const Millis quarter = call->deadline().Left(services.clock) / 4;
  Start(services, {gpus, kMostRowsAt, quarter, [call] { return call->Alive(); }, nullptr,
                   [call, then = std::move(then)](std::shared_ptr<PastAges> past, bool good) {
                     // An hour that could not be walked through whole tells of nothing.
                     if (!good) past = nullptr;
                     call->Defer([call, past, then] {
                       if (call->Alive()) then(past);
                     });
                   }});
}

}  // namespace gpumon::handlers
