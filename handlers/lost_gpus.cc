#include "handlers/lost_gpus.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "internal/gpu/activity.h"
#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using fleet::SeenGpus;
using models::NodeTarget;

constexpr double kBefore = 3600;  // seconds

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

// It was on another node since, where nothing shows it now because that one's exporter is down.
bool MayBeElsewhere(const SeenGpus::Gone& gone, const gpu::Activity& activity) {
  const std::string name = gpu::ActivityNamesOf(gone.uuid, "", "").front();
  return std::any_of(activity.targets.begin(), activity.targets.end(), [&](const auto& target) {
    return !target.node.empty() && target.node != gone.node && target.names.contains(name) &&
           target.At(activity.last()) != gpu::ActivityTarget::Up::kUp;
  });
}

// The hour's two ends do not tell where a GPU was in between.
void DropMoved(const CallPtr& call, GoneGpus gone, double at, std::function<void(GoneGpus)> then) {
  const auto has_uuid = [](const SeenGpus::Gone& one) { return !one.uuid.empty(); };
  if (std::none_of(gone.begin(), gone.end(), has_uuid)) return then(std::move(gone));
  const gpu::ActivityWant want{
      .start = at - kBefore, .end = at, .step = kBefore, .targets_only = true};
  call->services().find_activity(
      want, call->deadline(),
      [call, gone = std::move(gone), then = std::move(then)](Result<gpu::Activity> found) {
        call->Defer([call, gone, then, found = std::move(found)]() mutable {
          if (!call->Alive()) return;
          if (!found) return call->SendError(found.error());
          std::erase_if(gone, [&](const auto& one) {
            return !one.uuid.empty() && MayBeElsewhere(one, *found);
          });
          then(std::move(gone));
        });
      });
}

void FindGoneAt(const CallPtr& call, gpu::SnapshotPtr gpus, std::function<void(GoneGpus)> then) {
  const WallTime before = wire::ToWallTime(gpus->as_of - kBefore);
  call->services().source.Get(
      {models::Part::kGpus, before}, call->deadline(),
      [call, gpus = std::move(gpus), then = std::move(then)](Result<gpu::Got> got) {
        call->Defer([call, gpus, then, got = std::move(got)] {
          if (!call->Alive()) return;
          if (!got) return call->SendError(got.error());
          SeenGpus seen;
          if (!got->snapshot->partial) seen.Learn(*got->snapshot);
          DropMoved(call, seen.Look(*gpus), gpus->as_of, then);
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
