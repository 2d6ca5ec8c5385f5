#include "internal/collect/fleet_tasks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "internal/collect/task.h"
#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/host_names.h"
#include "internal/gpu/mig.h"

namespace gpumon::collect {
namespace {

using models::GpuMetrics;
using models::Text;

constexpr double kMiB = 1024.0 * 1024;
constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kMegabit = 1e6;
constexpr std::string_view kNoNode = "unknown";

// What node-exporter or a GPU exporter tells of a machine; nothing where none of it is known.
std::optional<store::SystemReading> SystemOf(const models::Node& node,
                                             std::span<const models::Disk> disks) {
  using models::NodeQuantity;
  store::SystemReading system;
  const auto scaled = [&](NodeQuantity quantity, double by) {
    const auto value = node.Get(quantity);
    return value ? std::optional(*value * by) : std::nullopt;
  };
  system.cpu_usage_pct = node.Get(NodeQuantity::kCpu);
  system.memory_total_gb = scaled(NodeQuantity::kMemoryTotal, 1 / kGiB);
  const auto available = scaled(NodeQuantity::kMemoryAvailable, 1 / kGiB);
  if (system.memory_total_gb && available) {
    system.memory_used_gb = *system.memory_total_gb - *available;
  }
  system.network_rx_mbps = scaled(NodeQuantity::kNetworkRx, 8 / kMegabit);
  system.network_tx_mbps = scaled(NodeQuantity::kNetworkTx, 8 / kMegabit);
  const auto one = node.Get(NodeQuantity::kLoad1);
  const auto five = node.Get(NodeQuantity::kLoad5);
  const auto fifteen = node.Get(NodeQuantity::kLoad15);
  if (one && five && fifteen) system.load_average = {*one, *five, *fifteen};
  for (const models::Disk& disk : disks) {
    if (disk.mountpoint != "/" || !(disk.size > 0) || std::isnan(disk.available)) continue;
    system.disk_usage_pct = 100 - 100 * disk.available / disk.size;
  }
  const bool known =
      system.load_average ||
      std::any_of(store::kSystemNumbers.begin(), store::kSystemNumbers.end(),
                  [&](const auto& number) { return (system.*number.value).has_value(); });
  return known ? std::optional(system) : std::nullopt;
}

class Tasks {
 public:
  Tasks(const Fleet& fleet, const fleet::HealthRules& rules)
      : fleet_(fleet), rules_(rules), processes_(fleet.gpus.gpus.size()) {}

  std::vector<store::Snapshot> Take() {
    CountNodes();
    FindMachines();
    AddProcesses();
    std::set<const GpuMetrics*> whole;
    for (const GpuMetrics* const gpu : gpu::WholeGpus(fleet_.gpus.gpus)) whole.insert(gpu);
    for (const GpuMetrics& gpu : fleet_.gpus.gpus) {
      const auto holders =
          std::span(fleet_.gpus.workloads).subspan(gpu.first_workload, gpu.workload_count);
      std::set<std::string> tasks;  // a pod may hold it by several containers
      for (const models::Workload& holder : holders) {
        if (holder.pod.empty()) continue;
        const std::string id = IdOf(holder.name_space, holder.pod);
        if (tasks.insert(id).second) AddTo(TaskOf(id, holder.pod, NodeOf(gpu)), gpu);
      }
      if (tasks.empty() && whole.count(&gpu) > 0) {
        const std::string node(NodeOf(gpu));
        AddTo(TaskOf(node, node, node), gpu);
      }
    }
    AddPodsWithoutGpus();
    std::vector<store::Snapshot> snapshots;
    for (auto& [id, task] : tasks_) snapshots.push_back(task.Take());
    return snapshots;
  }

 private:
  static std::string IdOf(std::string_view name_space, std::string_view pod) {
    if (name_space.empty()) return std::string(pod);
    return std::string(name_space).append("/").append(pod);
  }
  static std::string_view NodeOf(const GpuMetrics& gpu) {
    const std::string_view node = gpu.text(Text::kNode);
    return node.empty() ? kNoNode : node;
  }

  // What kind of machine each node is.
  void CountNodes() {
    for (const GpuMetrics* const gpu : gpu::WholeGpus(fleet_.gpus.gpus)) {
      auto& [count, model] = nodes_[NodeOf(*gpu)];
      ++count;
      if (model.empty()) model = gpu->text(Text::kGpuName);
    }
  }

  void FindMachines() {
    if (fleet_.nodes == nullptr) return;
    for (const models::Node& node : fleet_.nodes->nodes) {
      machines_.emplace(node.name, &node);
      const auto [at, is_new] = by_short_.emplace(gpu::ShortName(node.name), &node);
      if (!is_new) at->second = nullptr;
    }
  }
  std::optional<store::SystemReading> SystemOfNode(std::string_view name) const {
    auto found = machines_.find(name);
    if (found == machines_.end()) {
      found = by_short_.find(gpu::ShortName(name));
      if (found == by_short_.end() || found->second == nullptr) return std::nullopt;
    }
    const models::Range disks = found->second->parts.disks;
    return SystemOf(*found->second,
                    std::span(fleet_.nodes->disks).subspan(disks.first, disks.count));
  }

  void AddProcesses() {
    if (fleet_.processes == nullptr) return;
    const gpu::GpuRows rows(fleet_.gpus.gpus);
    for (const models::GpuProcess& process : fleet_.processes->processes) {
      const std::size_t at = rows.Find(process);
      if (at == gpu::GpuRows::kNone) continue;
      store::GpuProcess one{process.pid, std::string(process.text(Text::kProcessName)), {}};
      const auto memory =
          process.readings.Get(static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory));
      if (memory) one.memory_mb = *memory / kMiB;
      processes_[at].push_back(std::move(one));
    }
  }

  Task& TaskOf(const std::string& id, std::string_view name, std::string_view node) {
    const auto found = tasks_.find(id);
    if (found != tasks_.end()) return found->second;
    store::Snapshot snapshot;
    snapshot.id = store::NewId();
    snapshot.task_id = id;
    snapshot.task_name = name;
    snapshot.instance_id = node;
    if (const auto its = nodes_.find(node); its != nodes_.end()) {
      snapshot.instance_type = InstanceType(its->second.first, its->second.second);
    }
    snapshot.timestamp = fleet_.time;
    snapshot.system_metrics = SystemOfNode(node);
    snapshot.machine_info = {{"source", "prometheus"}, {"note", fleet_.note}};
    return tasks_.try_emplace(id, std::move(snapshot), rules_).first->second;
  }

  void AddTo(Task& task, const GpuMetrics& gpu) {
    const auto at = static_cast<std::size_t>(&gpu - fleet_.gpus.gpus.data());
    task.Add(gpu, processes_[at]);
  }

  void AddPodsWithoutGpus() {
    if (fleet_.pods == nullptr) return;
    for (const models::Pod& pod : fleet_.pods->pods) {
      if (pod.holds_gpus()) TaskOf(IdOf(pod.name_space, pod.name), pod.name, pod.node);
    }
  }

  const Fleet& fleet_;
  const fleet::HealthRules& rules_;
  std::vector<std::vector<store::GpuProcess>> processes_;  // by row
  std::map<std::string_view, std::pair<std::size_t, std::string_view>> nodes_;
  std::map<std::string_view, const models::Node*> machines_;
  std::map<std::string_view, const models::Node*> by_short_;  // null: several
  std::map<std::string, Task> tasks_;
};

}  // namespace

std::vector<store::Snapshot> TasksOf(const Fleet& fleet, const fleet::HealthRules& rules) {
  return Tasks(fleet, rules).Take();
}

}  // namespace gpumon::collect
