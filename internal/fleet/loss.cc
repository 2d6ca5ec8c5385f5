// Why nothing shows a GPU any more.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "internal/fleet/missing.h"
#include "internal/fleet/xid.h"
#include "internal/gpu/host_names.h"

namespace gpumon::fleet {
namespace {

using models::Node;
using models::NodeTarget;
using models::SilentTarget;
using models::Snapshot;
using models::TargetState;
using models::Text;

std::span<const NodeTarget> TargetsOf(const Snapshot& nodes, const Node& node) {
  return std::span(nodes.targets).subspan(node.parts.targets.first, node.parts.targets.count);
}

// By its name, or the only one that is called so but for a domain.
const Node* Find(const Snapshot& nodes, std::string_view name) {
  const Node* alike = nullptr;
  std::size_t count = 0;
  for (const Node& node : nodes.nodes) {
    if (node.name == name) return &node;
    if (gpu::ShortName(node.name) != gpu::ShortName(name)) continue;
    alike = &node;
    ++count;
  }
  return count == 1 ? alike : nullptr;
}

std::string NameOf(const NodeTarget& target) {
  std::string name(target.exporter.empty() ? "an exporter" : target.exporter);
  return name.append(" (job ").append(target.job).append(", ").append(target.instance).append(")");
}

bool IsDown(const NodeTarget& target) {
  return target.state == TargetState::kDown;
}
// Which one is not known: it may be.
bool MayShowGpus(const NodeTarget& target) {
  return target.of_gpus || target.exporter.empty();
}

class Judge {
 public:
  Judge(const LastSeen& gpu, const Surroundings& around) : gpu_(gpu), around_(around) {
    if (around.gpus == nullptr) return;
    for (const models::GpuMetrics& row : around.gpus->gpus) {
      if (row.text(Text::kNode) != gpu.node) continue;
      others_.emplace(row.text(Text::kGpuId));
      if (row.text(Text::kGpuId) == gpu.gpu_id) in_its_place_ = row.text(Text::kUuid);
    }
  }

  Verdict Of() const {
    if (gpu_.node.empty()) return {Loss::kUnknown, "no exporter said which node it was on"};
    // Whatever became of these later.
    if (around_.shown_at >= around_.gone) {
      return OfGpu("its exporter went on showing other GPUs of the node");
    }
    const Snapshot* const now = around_.now;
    if (now == nullptr || now->partial) {
      return {Loss::kUnknown, "what is known of nodes is not complete"};
    }
    const Node* const node = Find(*now, gpu_.node);
    if (HasLeftKubernetes(node)) return {Loss::kNodeGone, "Kubernetes no longer lists the node"};
    if (node == nullptr) return OfNobody();
    const auto ready = node->Get(models::NodeQuantity::kReady);
    if (ready == 0.0) return {Loss::kNodeGone, "Kubernetes calls the node not ready"};
    return OfTargets(TargetsOf(*now, *node), ready == 1.0);
  }

 private:
  // Where kube-state-metrics lists no node at all it is that which went away.
  bool HasLeftKubernetes(const Node* node) const {
    if (node != nullptr && !std::isnan(node->vanished)) return true;
    if (around_.then == nullptr || (node != nullptr && node->in_kubernetes)) return false;
    const Node* const then = Find(*around_.then, gpu_.node);
    const auto& now = around_.now->nodes;
    return then != nullptr && then->in_kubernetes &&
           std::any_of(now.begin(), now.end(), [](const Node& one) { return one.in_kubernetes; });
  }

  // No node of this name is known any more.
  Verdict OfNobody() const {
    if (!others_.empty()) return OfGpu("its exporter shows other GPUs of the node");
    if (auto verdict = OfSilent()) return *std::move(verdict);
    if (!KnowsTargets() && !around_.now->silent.empty()) return TooLongAgo();
    return {Loss::kNodeGone, "neither Kubernetes nor any exporter tells of the node any more"};
  }

  Verdict OfTargets(std::span<const NodeTarget> targets, bool ready) const {
    const std::string but = ready ? "; Kubernetes calls the node ready" : "";
    const bool all_down = !targets.empty() && std::all_of(targets.begin(), targets.end(), IsDown);
    const bool has_host = std::any_of(targets.begin(), targets.end(),
                                      [](const auto& target) { return !MayShowGpus(target); });
    if (all_down && has_host && !ready && others_.empty()) {
      return {Loss::kNodeGone, "all exporters of the node are down"};
    }
    const NodeTarget* its_up = nullptr;
    const NodeTarget* its_down = nullptr;
    const NodeTarget* any_up = nullptr;
    const NodeTarget* any_down = nullptr;
    for (const NodeTarget& target : targets) {
      if (!MayShowGpus(target)) continue;
      const bool its = target.exporter == gpu_.exporter || target.exporter.empty();
      const NodeTarget*& slot =
          IsDown(target) ? (its ? its_down : any_down) : (its ? its_up : any_up);
      if (slot == nullptr) slot = &target;
    }
    if (its_up != nullptr && its_up->started && !HasShownSince(*its_up) && others_.empty()) {
      return OfStarting(NameOf(*its_up));
    }
    if (its_up != nullptr) {
      return OfGpu(NameOf(*its_up) + (others_.empty() ? " is up and shows no GPU of the node"
                                                      : " is up and no longer shows it"));
    }
    if (its_down != nullptr) return {Loss::kExporterDown, NameOf(*its_down) + " is down" + but};
    if (auto verdict = OfSilent()) return *std::move(verdict);
    if (any_up == nullptr && any_down != nullptr) {
      return {Loss::kExporterDown, NameOf(*any_down) + " is down" + but};
    }
    if (!KnowsTargets()) return TooLongAgo();
    return {Loss::kExporterDown, "no " + gpu_.exporter + " of the node is scraped any more" + but};
  }

  Verdict TooLongAgo() const {
    return {Loss::kUnknown, "no " + gpu_.exporter +
                                " of the node shows a GPU any more; whether one is still scraped "
                                "is not known"};
  }

  bool KnowsTargets() const { return around_.then != nullptr || around_.window != nullptr; }

  // A scrape target that shows nothing at the end.
  template <class Target>
  const SilentTarget* SilentOf(const Target& target) const {
    const auto& silent = around_.now->silent;
    const auto its = std::find_if(silent.begin(), silent.end(), [&](const auto& one) {
      return one.job == target.job && one.instance == target.instance;
    });
    return its == silent.end() ? nullptr : &*its;
  }

  // A GPU of the node since it came up.
  bool HasShownSince(const SilentTarget& silent) const {
    return around_.shown > around_.now->as_of - silent.up_for;
  }
  bool HasShownSince(const NodeTarget& target) const {
    const SilentTarget* const silent = SilentOf(target);
    return silent != nullptr && HasShownSince(*silent);
  }

  static Verdict OfStarting(const std::string& name) {
    return {Loss::kExporterDown, name + " was started within two minutes and has shown no GPU yet"};
  }

  // Its target is up, and shows no GPU of the node.
  Verdict OfQuiet(const std::string& name, const SilentTarget* silent) const {
    const bool started = silent != nullptr && silent->up && !std::isnan(silent->up_for);
    if (started && !HasShownSince(*silent) && others_.empty()) return OfStarting(name);
    return OfGpu(name + " is up and shows no GPU of the node");
  }

  // Of those that showed it in the window.
  std::optional<Verdict> OfWindow() const {
    using Up = gpu::ActivityTarget::Up;
    if (around_.window == nullptr) return std::nullopt;
    std::optional<Verdict> down;
    const auto shows = [&](const gpu::ActivityTarget& target) {
      return std::ranges::any_of(
          gpu::ActivityNamesOf(gpu_.uuid, gpu_.node, gpu_.gpu_id),
          [&](const std::string& name) { return target.names.contains(name); });
    };
    const auto is_here = [&](const auto& target) {
      return target.node == gpu_.node && shows(target);
    };
    // Then one of another node showed it before it came to this one.
    const bool here = std::ranges::any_of(around_.window->targets, is_here);
    for (const gpu::ActivityTarget& target : around_.window->targets) {
      const bool its = shows(target) && (!here || target.node.empty() || is_here(target));
      const Up up = its ? target.At(around_.window->steps - 1) : Up::kUnknown;
      if (up == Up::kUnknown) continue;
      const std::string name = NameOf({gpu_.exporter, target.job, target.instance});
      if (up == Up::kUp) return OfQuiet(name, SilentOf(target));
      down = {Loss::kExporterDown, name + " is down"};
    }
    return down;
  }

  // The target that showed it is still scraped, and shows nothing.
  std::optional<Verdict> OfSilent() const {
    if (around_.then == nullptr) return OfWindow();
    const Node* const node = Find(*around_.then, gpu_.node);
    if (node == nullptr) return std::nullopt;
    for (const NodeTarget& target : TargetsOf(*around_.then, *node)) {
      if (!target.of_gpus || target.exporter != gpu_.exporter) continue;
      const SilentTarget* const its = SilentOf(target);
      if (its == nullptr) continue;
      if (!its->up) return Verdict{Loss::kExporterDown, NameOf(target) + " is down"};
      return OfQuiet(NameOf(target), its);
    }
    return std::nullopt;
  }

  Verdict OfGpu(std::string evidence) const {
    if (!in_its_place_.empty() && in_its_place_ != gpu_.uuid && !gpu_.uuid.empty()) {
      evidence += "; " + std::string(in_its_place_) + " has its id now";
    } else if (!others_.empty()) {
      evidence += "; GPUs of the node that are shown: " + std::to_string(others_.size());
    }
    if (gpu_.xid.why == models::NullReason::kNone && gpu_.xid.value > 0) {
      const Xid xid = XidOf(static_cast<int>(gpu_.xid.value));
      evidence += "; its last XID was " + std::to_string(xid.code);
      if (!xid.text.empty()) evidence.append(" (").append(xid.text).append(")");
    }
    return {Loss::kGpuGone, std::move(evidence)};
  }

  const LastSeen& gpu_;
  const Surroundings& around_;
  std::set<std::string_view> others_;  // ids of GPUs of its node at the end
  std::string_view in_its_place_;      // UUID of the one that has its id then
};

}  // namespace

std::string_view NameOf(Loss loss) {
  constexpr std::array<std::string_view, 4> kNames = {"", "exporter_down", "node_gone", "gpu_gone"};
  return kNames[static_cast<std::size_t>(loss)];
}

Verdict VerdictOf(const LastSeen& gpu, const Surroundings& around) {
  return Judge(gpu, around).Of();
}

}  // namespace gpumon::fleet
