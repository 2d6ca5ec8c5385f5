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
constexpr double kStarting = 120;  // for so long who was started may have found no GPU yet
constexpr double kStep = 300;      // between looks at the day; coarser as below
// Seconds: a scrape is hardly more often. Coarser where that would be more rows than these.
constexpr double kFineStep = 5;
constexpr double kMostRows = 200'000;

// An exporter that was just started shows no GPU at all for a while.
bool IsLost(const SeenGpus::Gone& gone, const std::map<std::string_view, NodeRow>& nodes) {
  const auto found = nodes.find(gone.node);
  if (found == nodes.end() || found->second.node == nullptr) return gone.exporter_up;
  const models::Snapshot& known = *found->second.snapshot;
  if (known.partial || known.as_of < gone.missed) return false;
  const auto targets = found->second.targets();
  const auto may_start = [](const NodeTarget& target) { return target.started; };
  if (std::any_of(targets.begin(), targets.end(), may_start)) return false;
  const auto is_of_gpus = [](const NodeTarget& target) { return target.of_gpus; };
  if (std::none_of(targets.begin(), targets.end(), is_of_gpus)) return gone.exporter_up;
  return std::all_of(targets.begin(), targets.end(), [](const NodeTarget& target) {
    return !target.of_gpus || target.state == models::TargetState::kUp;
  });
}

// Of a node none of whose GPUs is shown any more nothing in the present tells whose they were.
bool HaveQuietNodes(const GoneGpus& gone, const models::Snapshot& gpus) {
  std::set<std::string_view> shown;
  for (const models::GpuMetrics& row : gpus.gpus) shown.insert(row.text(models::Text::kNode));
  return std::any_of(gone.begin(), gone.end(),
                     [&](const auto& one) { return !shown.contains(one.node); });
}

// Whether all that showed each of them are up at the end of `shown`.
void JudgeTargets(GoneGpus& gone, const gpu::Activity& shown) {
  using Up = gpu::ActivityTarget::Up;
  std::map<std::string_view, std::vector<const gpu::ActivityTarget*>> by_name;
  for (const gpu::ActivityTarget& target : shown.targets) {
    for (const std::string& name : target.names) by_name[name].push_back(&target);
  }
  const auto is_up = [end = shown.last()](const gpu::ActivityTarget* target) {
    const bool young = !target->young.empty() && target->young[end];
    return target->At(end) == Up::kUp && !young;
  };
  for (SeenGpus::Gone& one : gone) {
    std::vector<const gpu::ActivityTarget*> its;
    for (const std::string& name : gpu::ActivityNamesOf(one.uuid, one.node, one.gpu_id)) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) continue;
      for (const auto* target : found->second) {
        if (target->node.empty() || target->node == one.node) its.push_back(target);
      }
    }
    one.exporter_up = !its.empty() && std::all_of(its.begin(), its.end(), is_up);
  }
}

// `then` with what is gone, judged by who showed it in the day before `gpus`.
void FindTargets(const CallPtr& call, const gpu::SnapshotPtr& gpus, bool is_past, GoneGpus gone,
                 std::function<void(GoneGpus)> then) {
  if (!HaveQuietNodes(gone, *gpus)) return then(std::move(gone));
  const Services& services = call->services();
  if (const auto known = is_past ? nullptr : services.seen_gpus.Targets(services.clock.Steady())) {
    JudgeTargets(gone, *known);
    return then(std::move(gone));
  }
  const gpu::ActivityWant want{.start = gpus->as_of - kDay,
                               .end = gpus->as_of,
                               .step = kDay,
                               .starting = kStarting,
                               .targets_only = true};
  services.find_activity(
      want, call->deadline(),
      [call, is_past, gone = std::move(gone), then = std::move(then)](Result<gpu::Activity> found) {
        call->Defer([call, is_past, gone, then, found = std::move(found)] {
          if (!call->Alive()) return;
          if (!found && is_past) return call->SendError(found.error());
          if (!found) return then(gone);
          const auto shown = std::make_shared<const gpu::Activity>(*found);
          const Services& its = call->services();
          if (!is_past) its.seen_gpus.LearnTargets(shown, its.clock.Steady());
          GoneGpus judged = gone;
          JudgeTargets(judged, *shown);
          then(std::move(judged));
        });
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
  const bool is_past = query.form.at.has_value();
  const auto found = [call, gpus, is_past, then = std::move(then)](GoneGpus gone) {
    FindTargets(call, gpus, is_past, std::move(gone), then);
  };
  if (is_past) return FindGoneAt(call, gpus, found);
  if (!services.seen_gpus.WantsPast(services.clock.Steady())) {
    return found(services.seen_gpus.Look(*gpus));
  }
  // The services outlive every call.
  const std::shared_ptr<SeenGpus> seen(std::shared_ptr<void>(), &services.seen_gpus);
  LearnDay(call, gpus, seen, [gpus, seen, found](const Result<gpu::RangeEnd>& end) {
    if (end) seen->LearnedSteps();
    found(seen->Look(*gpus));
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
