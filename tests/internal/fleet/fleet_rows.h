// GPUs at one instant, for tests of what is counted over many.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/gpu.h"

namespace gpumon::fleet {

struct FakeGpu {
  std::string uuid = "";
  std::string node = "n";
  std::string model = "H100";
  std::optional<double> utilization = {};
  std::optional<double> memory_percent = 0;
  std::vector<std::string> pods = {};  // of the namespace "team"
  std::string instance = "";           // of MIG
  bool divided = false;
  double xid = 0;
  bool nameless = false;  // without the id, which else is the UUID
};

inline std::shared_ptr<models::Snapshot> Rows(const std::vector<FakeGpu>& gpus) {
  using models::Quantity;
  using models::Text;
  auto snapshot = std::make_shared<models::Snapshot>();
  models::Arena& arena = snapshot->arena;
  for (const FakeGpu& gpu : gpus) {
    auto& row = snapshot->gpus.emplace_back();
    row.set_text(Text::kUuid, arena.Keep(gpu.uuid));
    row.set_text(Text::kNode, arena.Keep(gpu.node));
    row.set_text(Text::kGpuId, arena.Keep(gpu.nameless ? "" : gpu.uuid));
    row.set_text(Text::kGpuName, arena.Keep(gpu.model));
    row.set_text(Text::kMigGpuInstance, arena.Keep(gpu.instance));
    row.divided = gpu.divided;
    const auto set = [&](Quantity quantity, double value) {
      row.readings.Set(static_cast<std::size_t>(quantity), value);
    };
    if (gpu.utilization) set(Quantity::kUtilization, *gpu.utilization);
    if (gpu.memory_percent) set(Quantity::kMemoryUsedPercent, *gpu.memory_percent);
    set(Quantity::kXidLast, gpu.xid);
    row.first_workload = static_cast<std::uint32_t>(snapshot->workloads.size());
    for (const std::string& pod : gpu.pods) {
      models::Workload workload;
      workload.name_space = "team";
      workload.pod = arena.Keep(pod);
      snapshot->workloads.push_back(workload);
      ++row.workload_count;
    }
  }
  return snapshot;
}

// A process of `user` on each of the GPUs `uuids`, whose node is "n".
inline std::shared_ptr<models::Snapshot> Processes(std::string_view user,
                                                   const std::vector<std::string>& uuids) {
  using models::Text;
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kProcesses;
  for (const std::string& uuid : uuids) {
    auto& row = snapshot->processes.emplace_back();
    row.set_text(Text::kUuid, snapshot->arena.Keep(uuid));
    row.set_text(Text::kNode, "n");
    row.set_text(Text::kGpuId, snapshot->arena.Keep(uuid));
    row.set_text(Text::kUser, snapshot->arena.Keep(user));
    row.pid = 1;
  }
  return snapshot;
}

}  // namespace gpumon::fleet
