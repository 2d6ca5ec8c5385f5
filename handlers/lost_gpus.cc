#include "handlers/lost_gpus.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "internal/fleet/missing.h"
#include "internal/gpu/activity.h"
#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using fleet::SeenGpus;
using models::NodeTarget;

constexpr double kBefore = 3600;  // seconds
constexpr double kDay = 24 * 3600;
constexpr double kStep = 300;  // between looks at the day; coarser as below
// Seconds: a scrape is hardly more often. Coarser where that would be more rows than these.
constexpr double kFineStep = 5;
constexpr double kMostRows = 200'000;

// An exporter that was just started shows no GPU at all for a while.
bool IsLost(const SeenGpus::Gone& gone, const std::map<std::string_view, NodeRow>& nodes) {
  const auto found = nodes.find(gone.node);
  if (found == nodes.end() || found->second.node == nullptr) return false;
  const models::Snapshot& known = *found->second.snapshot;
  if (known.partial || known.as_of < gone.missed) return false;
  const auto targets = found->second.targets();
  const auto may_start = [](const NodeTarget& target) { return target.started; };
  if (std::any_of(targets.begin(), targets.end(), may_start)) return false;
  const auto is_of_gpus = [](const NodeTarget& target) { return target.of_gpus; };
  return std::any_of(targets.begin(), targets.end(), is_of_gpus) &&
         std::all_of(targets.begin(), targets.end(), [](const NodeTarget& target) {
           return !target.of_gpus || target.state == models::TargetState::kUp;
         });
}

// GPUs that are gone and may have moved since, and the scrape targets that have shown them.
struct Movers {
  std::set<std::string, std::less<>> uuids;
  std::set<std::string> instances;
  std::size_t gpus = 0;  // that these show
};

// Of one that several targets showed another one's node is where it may have gone, or come from.
Movers MoversOf(const GoneGpus& gone, const gpu::Activity& activity) {
  std::map<std::string, std::vector<const gpu::ActivityTarget*>> by_name;
  const auto name_of = [](const auto& one) {
    return gpu::ActivityNamesOf(one.uuid, "", "").front();
  };
  for (const auto& one : gone) {
    if (!one.uuid.empty()) by_name[name_of(one)];
  }
  for (const gpu::ActivityTarget& target : activity.targets) {
    for (const std::string& name : target.names) {
      if (const auto its = by_name.find(name); its != by_name.end()) its->second.push_back(&target);
    }
  }
  Movers movers;
  for (const auto& one : gone) {
    if (one.uuid.empty()) continue;
    const auto& its = by_name[name_of(one)];
    const bool may_have_moved = std::any_of(its.begin(), its.end(), [&](const auto* target) {
      return target->node.empty() ? its.size() > 1 : target->node != one.node;
    });
    if (!may_have_moved) continue;
    movers.uuids.insert(one.uuid);
    for (const auto* target : its) {
      if (movers.instances.insert(target->instance).second) movers.gpus += target->gpus;
    }
  }
  return movers;
}

// What is gone since the past that a past instant is compared with.
struct Since {
  fleet::SeenGpus seen;
  models::SnapshotPtr gpus;
  std::function<void(GoneGpus)> then;

  double start() const { return gpus->as_of - kBefore; }
};

// Looks five minutes apart do not tell where a GPU was in between: it is gone from there.
void FollowMovers(const CallPtr& call, const std::shared_ptr<Since>& since, const Movers& movers) {
  gpu::RangeWant want;
  want.step =
      std::max(kFineStep, std::ceil(kBefore * static_cast<double>(movers.gpus) / kMostRows));
  want.steps = static_cast<std::size_t>(kBefore / want.step);
  want.start = since->start();
  gpu::RangePart gpus;
  for (const models::Quantity quantity : fleet::Sightings::kQuantities) {
    gpus.quantities.set(static_cast<std::size_t>(quantity));
  }
  want.parts = {gpus};
  want.spans = {{0, want.steps, {movers.instances.begin(), movers.instances.end()}}};
  call->services().walk(
      want, call->deadline(),
      [call, since, want, uuids = movers.uuids](std::size_t i,
                                                std::span<const models::SnapshotPtr> snapshots) {
        since->seen.Follow(uuids, want.At(i), *snapshots[0]);
        return call->Alive();
      },
      [call, since](Result<gpu::RangeEnd> end) {
        call->Defer([call, since, end = std::move(end)] {
          if (!call->Alive()) return;
          if (!end) return call->SendError(end.error());
          since->then(since->seen.Look(*since->gpus));
        });
      });
}

void FollowMoved(const CallPtr& call, const std::shared_ptr<Since>& since) {
  GoneGpus gone = since->seen.Look(*since->gpus);
  const auto has_uuid = [](const SeenGpus::Gone& one) { return !one.uuid.empty(); };
  if (std::none_of(gone.begin(), gone.end(), has_uuid)) return since->then(std::move(gone));
  const gpu::ActivityWant want{
      .start = since->start(), .end = since->gpus->as_of, .step = kBefore, .targets_only = true};
  call->services().find_activity(
      want, call->deadline(), [call, since, gone = std::move(gone)](Result<gpu::Activity> found) {
        call->Defer([call, since, gone, found = std::move(found)] {
          if (!call->Alive()) return;
          if (!found) return call->SendError(found.error());
          const Movers movers = MoversOf(gone, *found);
          if (movers.uuids.empty()) return since->then(gone);
          FollowMovers(call, since, movers);
        });
      });
}

// What was there in the day before `gpus`.
void LearnDay(const CallPtr& call, const gpu::SnapshotPtr& gpus,
              const std::shared_ptr<SeenGpus>& seen,
              std::function<void(const Result<gpu::RangeEnd>&)> then) {
  gpu::RangeWant want;
  const double rows = static_cast<double>(gpus->gpus.size()) + 1;
  want.step = std::max(kStep, std::ceil(kDay * rows / kMostRows));
  want.steps = static_cast<std::size_t>(kDay / want.step);
  want.start = gpus->as_of - want.step * static_cast<double>(want.steps);
  gpu::RangePart part;
  for (const models::Quantity quantity : fleet::Sightings::kQuantities) {
    part.quantities.set(static_cast<std::size_t>(quantity));
  }
  want.parts = {part};
  call->services().walk(
      want, call->deadline(),
      [call, seen, step = want.step](std::size_t, std::span<const models::SnapshotPtr> snapshots) {
        if (!snapshots[0]->partial) seen->LearnStep(*snapshots[0], step);
        return call->Alive();
      },
      [call, then = std::move(then)](Result<gpu::RangeEnd> end) {
        call->Defer([call, then, end = std::move(end)] {
          if (call->Alive()) then(end);
        });
      });
}

void FindGoneAt(const CallPtr& call, gpu::SnapshotPtr gpus, std::function<void(GoneGpus)> then) {
  const auto since = std::make_shared<Since>();
  since->gpus = std::move(gpus);
  since->then = std::move(then);
  LearnDay(call, since->gpus, std::shared_ptr<SeenGpus>(since, &since->seen),
           [call, since](const Result<gpu::RangeEnd>& end) {
             if (!end) return call->SendError(end.error());
             FollowMoved(call, since);
           });
}

}  // namespace

void FindGone(const CallPtr& call, const RecordQuery& query, const GotParts& parts,
              std::function<void(GoneGpus)> then) {
  const Services& services = call->services();
  const gpu::SnapshotPtr& gpus = parts[0]->snapshot;
  if (gpus->partial) return then({});
  if (query.form.at) return FindGoneAt(call, gpus, std::move(then));
  if (!services.seen_gpus.WantsPast(services.clock.Steady())) {
    return then(services.seen_gpus.Look(*gpus));
  }
  // The services outlive every call.
  const std::shared_ptr<SeenGpus> seen(std::shared_ptr<void>(), &services.seen_gpus);
  LearnDay(call, gpus, seen,
           [gpus, seen, then = std::move(then)](const Result<gpu::RangeEnd>& end) {
             if (end) seen->LearnedSteps();
             then(seen->Look(*gpus));
           });
}

GoneGpus LostOf(GoneGpus gone, const std::map<std::string_view, NodeRow>& nodes) {
  std::erase_if(gone, [&](const auto& one) { return !IsLost(one, nodes); });
  return gone;
}

void AddLost(GoneGpus& gone, const models::Snapshot& gpus, const models::Snapshot* nodes,
             const fleet::HealthRules& rules, GpuGroups& groups) {
  if (gone.empty()) return;
  const GpuGroups by_node(gpus, nullptr, GpuGroups::By::kNode, rules);
  gone = LostOf(std::move(gone), NodeRowsOf(by_node, nodes, rules));
  for (const auto& one : gone) groups.AddLost(one.node, one.gpu_name, HealthOf(one, rules));
}

fleet::Health HealthOf(const SeenGpus::Gone& lost, const fleet::HealthRules& rules) {
  std::string name = "GPU " + lost.gpu_id;
  if (!lost.uuid.empty()) name.append(" (").append(lost.uuid).append(")");
  return fleet::AssessLost(name, rules);
}

}  // namespace gpumon::handlers
