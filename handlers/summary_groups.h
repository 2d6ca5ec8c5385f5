// The numbers of GET /api/v1/gpu/summary.
#pragma once

#include <algorithm>
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
#include "models/gpu.h"

namespace gpumon::handlers {

enum class SummaryBy : std::uint8_t { kFleet, kNode, kModel };

// Of the GPUs that it is known of.
struct SummaryOfKnown {
  double sum = 0;
  double most = -std::numeric_limits<double>::infinity();
  std::size_t gpus = 0;

  void Add(std::optional<double> value) {
    if (!value) return;
    sum += *value;
    most = std::max(most, *value);
    ++gpus;
  }
};

// What stands in one row.
struct SummaryGroup {
  std::size_t gpus = 0;
  std::size_t instances = 0;
  std::array<std::size_t, fleet::kStates> states{};
  fleet::Average health;
  SummaryOfKnown utilization;
  SummaryOfKnown memory_used;
  SummaryOfKnown memory_total;
  SummaryOfKnown power;
  SummaryOfKnown temperature;
  std::size_t processes = 0;
  std::set<std::string_view> users;
  std::set<std::string_view> namespaces;
  std::size_t pods_running = 0;
  std::size_t pods_pending = 0;
  double gpus_requested = 0;  // NaN where one does not tell
  double gpus_pending = 0;    // the same
  double newest = std::nan("");
};

// The snapshots behind an answer; null where one could not be had.
struct SummaryBehind {
  const models::Snapshot& gpus;
  const models::Snapshot* processes;
  const models::Snapshot* pods;
};

// Each GPU once, in the group of its node or model. What it is made of must outlive it.
class Summary {
 public:
  Summary(const SummaryBehind& behind, SummaryBy by, const fleet::HealthRules& rules);

  const std::map<std::string_view, SummaryGroup>& groups() const { return groups_; }

 private:
  using Place = std::array<std::string_view, 3>;
  // The MIG instances of one GPU.
  struct Instances {
    fleet::State state = fleet::State::kUnknown;
    double memory_used = 0;  // NaN where one does not tell
    double memory_total = 0;
    // The board's, of the first that tells.
    std::optional<double> power;
    std::optional<double> temperature;
  };

  static Place PlaceOf(const models::GpuMetrics& gpu);
  template <class RowT>
  SummaryGroup& GroupOf(const RowT& row);
  std::size_t IndexOf(const models::GpuMetrics& gpu) const;
  fleet::State StateOf(const models::GpuMetrics& gpu) const;
  void AddProcesses();
  void JudgeInstances();
  void AddWhatIsOn(const models::GpuMetrics& gpu);
  static void AddParts(const Instances& its, SummaryGroup& group);
  void AddGpu(const models::GpuMetrics& gpu);
  void AddPods();

  const SummaryBehind behind_;
  const SummaryBy by_;
  const fleet::HealthRules& rules_;
  std::vector<bool> held_;  // by a process, by row
  std::map<Place, Instances> instances_;
  std::map<std::string_view, SummaryGroup> groups_;
};

}  // namespace gpumon::handlers
