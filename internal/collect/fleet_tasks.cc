#include "internal/collect/fleet_tasks.h"

#include <map>
#include <set>
#include <span>
#include <utility>

#include "internal/collect/task.h"
#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

namespace gpumon::collect {
namespace {

using models::GpuMetrics;
using models::Text;

constexpr double kMiB = 1024.0 * 1024;
constexpr std::string_view kNoNode = "unknown";

class Tasks {
 public:
  Tasks(const Fleet& fleet, const fleet::HealthRules& rules)
      : fleet_(fleet), rules_(rules), processes_(fleet.gpus.gpus.size()) {}

  std::vector<store::Snapshot> Take() {
    CountNodes();
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
  std::map<std::string, Task> tasks_;
};

}  // namespace

std::vector<store::Snapshot> TasksOf(const Fleet& fleet, const fleet::HealthRules& rules) {
  return Tasks(fleet, rules).Take();
}

}  // namespace gpumon::collect
