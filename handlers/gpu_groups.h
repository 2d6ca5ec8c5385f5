// GPUs counted by node, model, or all together: what /summary and /nodes share.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "internal/fleet/state.h"
#include "internal/wire/records.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// Of the GPUs that it is known of.
struct Known {
  double sum = 0;
  double most = -std::numeric_limits<double>::infinity();
  std::size_t gpus = 0;
  models::NullReason why = models::NullReason::kNone;  // of the first that it is not known of

  // `reason`: why there is no value.
  void Add(std::optional<double> value, models::NullReason reason);
  // Why it is known of none.
  models::NullReason reason() const {
    return why == models::NullReason::kNone ? models::NullReason::kNotExported : why;
  }
};

// Over those, or why there is none.
wire::Value SumOf(const Known& known);
wire::Value MeanOf(const Known& known);
wire::Value MostOf(const Known& known);

// Texts are views into the snapshots that it was made of.
struct GpuGroup {
  std::size_t gpus = 0;  // one that only its MIG instances tell of counts once
  std::size_t lost = 0;  // no longer shown; not among `gpus`, but in `health`
  std::size_t instances = 0;
  std::array<std::size_t, fleet::kStates> states{};  // they add up to `gpus`
  fleet::Average health;
  Known utilization;
  // Of the GPUs whose used and total memory are known; where none tells both, of those that tell
  // the used one; where none tells that, of those that tell the total.
  Known memory_used;
  Known memory_total;  // of the same
  Known power;
  Known temperature;
  std::size_t processes = 0;
  std::set<std::string_view> users;
  std::set<std::string_view> namespaces;
  std::set<std::string_view> models;
  double newest = std::nan("");                            // Unix seconds, of the newest sample
  models::NullReason holders = models::NullReason::kNone;  // why who holds one of them is not known

  // Why nothing is known of namespaces; kNone where some are, or where there are none.
  models::NullReason why_no_namespaces() const {
    return namespaces.empty() ? holders : models::NullReason::kNone;
  }
  std::size_t state(fleet::State which) const { return states[static_cast<std::size_t>(which)]; }
};

class GpuGroups {
 public:
  enum class By : std::uint8_t { kFleet, kNode, kModel };

  // `processes` may be null: who holds a GPU is then told by pods alone. With kFleet there is one
  // group, "", with or without a GPU. The snapshots must outlive it, and are not kept.
  GpuGroups(const models::Snapshot& gpus, const models::Snapshot* processes, By by,
            const fleet::HealthRules& rules);

  // By node or model; "" where it is not known.
  const std::map<std::string_view, GpuGroup>& groups() const { return groups_; }
  // Makes an empty one where there is none.
  GpuGroup& At(std::string_view name) { return groups_[name]; }
  // One that nobody shows any more.
  void AddLost(std::string_view node, std::string_view model, const fleet::Health& health);

 private:
  // What the MIG instances of a board say of it. NaN: not each of them tells.
  struct Instances {
    fleet::State state = fleet::State::kUnknown;
    double memory_used = 0;
    double memory_total = 0;
    std::optional<double> power;
    std::optional<double> temperature;
  };

  template <class RowT>
  GpuGroup& GroupOf(const RowT& row);
  std::size_t IndexOf(const models::GpuMetrics& gpu) const {
    return static_cast<std::size_t>(&gpu - gpus_.gpus.data());
  }
  fleet::State StateOf(const models::GpuMetrics& gpu) const;
  void AddProcesses(const models::Snapshot& processes);
  void JudgeInstances();
  void AddGpu(const models::GpuMetrics& gpu);
  // `its` may be null. `gpu` may be one of them, when no row is of the board itself.
  void AddBoard(const models::GpuMetrics& gpu, const Instances* its, GpuGroup& group);
  void AddWhatIsOn(const models::GpuMetrics& gpu);

  const models::Snapshot& gpus_;
  const By by_;
  const fleet::HealthRules& rules_;
  std::vector<bool> held_;                      // by a process, by row
  const std::vector<std::size_t> boards_;       // gpu::BoardsOf
  std::map<std::size_t, Instances> instances_;  // by board
  std::map<std::string_view, GpuGroup> groups_;
  // Memory of those that tell one of the two alone.
  std::map<const GpuGroup*, Known> used_alone_;
  std::map<const GpuGroup*, Known> total_alone_;
};

}  // namespace gpumon::handlers
