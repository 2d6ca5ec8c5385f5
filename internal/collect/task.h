// One task's snapshot, put together from rows of GPUs.
#pragma once

#include <string>
#include <vector>

#include "internal/fleet/health.h"
#include "internal/fleet/health_rules.h"
#include "internal/store/snapshot.h"
#include "models/gpu.h"

namespace gpumon::collect {

// Fills the GPUs, their states, events and score of a snapshot; who it is about is the caller's.
// The score is the plain average of its GPUs'. A component's state is the worst of its GPUs, with
// what was found; what was found of XIDs, ECC errors and remapped rows is an event too: it
// happened, where a temperature merely is.
class Task {
 public:
  Task(store::Snapshot snapshot, const fleet::HealthRules& rules)
      : snapshot_(std::move(snapshot)), rules_(rules) {}

  void Add(const models::GpuMetrics& gpu, std::vector<store::GpuProcess> processes);
  // Beside the GPUs'.
  void AddState(store::HealthState state) { states_.push_back(std::move(state)); }
  void AddEvent(store::Event event) { snapshot_.events.push_back(std::move(event)); }
  store::Snapshot& snapshot() { return snapshot_; }

  store::Snapshot Take();

 private:
  struct Found {
    std::string text;  // "GPU 3: ..."
    fleet::Severity severity;
    std::string_view component;
  };
  void AddComponent(std::string_view name, fleet::Level level);

  store::Snapshot snapshot_;
  const fleet::HealthRules& rules_;
  fleet::Average average_;
  std::vector<Found> found_;
  std::vector<store::HealthState> states_;
};

// "8x NVIDIA H100", "" for none.
std::string InstanceType(std::size_t gpus, std::string_view model);

}  // namespace gpumon::collect
