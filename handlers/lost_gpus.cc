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

// The past that a past instant is compared with, and what is gone since.
struct Since {
  fleet::SeenGpus seen;
  models::SnapshotPtr gpus;
  std::function<void(GoneGpus)> then;

  double start() const { return gpus->as_of - kBefore; }
};

// The hour's two ends do not tell where a GPU was in between: it is gone from there.
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

void FindGoneAt(const CallPtr& call, gpu::SnapshotPtr gpus, std::function<void(GoneGpus)> then) {
  const auto since = std::make_shared<Since>();
  since->gpus = std::move(gpus);
  since->then = std::move(then);
  call->services().source.Get({models::Part::kGpus, wire::ToWallTime(since->start())},
                              call->deadline(), [call, since](Result<gpu::Got> got) {
                                call->Defer([call, since, got = std::move(got)] {
                                  if (!call->Alive()) return;
                                  if (!got) return call->SendError(got.error());
                                  if (!got->snapshot->partial) since->seen.Learn(*got->snapshot);
                                  FollowMoved(call, since);
                                });
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
  const WallTime before = wire::ToWallTime(gpus->as_of - kBefore);
  services.source.Get({models::Part::kGpus, before}, call->deadline(),
                      [call, gpus, then = std::move(then)](Result<gpu::Got> got) {
                        SeenGpus& seen = call->services().seen_gpus;
                        if (got && !got->snapshot->partial) seen.Learn(*got->snapshot);
                        call->Defer([call, gpus, then] {
                          if (call->Alive()) then(call->services().seen_gpus.Look(*gpus));
                        });
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
