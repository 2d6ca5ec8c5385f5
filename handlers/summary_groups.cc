#include "handlers/summary_groups.h"

#include <cmath>
#include <span>

#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

namespace gpumon::handlers {

using fleet::State;
using models::GpuMetrics;
using models::Quantity;
using models::Text;

namespace {

std::optional<double> Get(const GpuMetrics& gpu, Quantity quantity) {
  return gpu.readings.Get(static_cast<std::size_t>(quantity));
}

}  // namespace

Summary::Summary(const SummaryBehind& behind, SummaryBy by, const fleet::HealthRules& rules)
    : behind_(behind), by_(by), rules_(rules), held_(behind.gpus.gpus.size(), false) {
  if (by == SummaryBy::kFleet) groups_[""];  // it is there without a GPU too
  AddProcesses();
  JudgeInstances();
  for (const GpuMetrics* gpu : gpu::WholeGpus(behind.gpus.gpus)) AddGpu(*gpu);
  AddPods();
}

auto Summary::PlaceOf(const GpuMetrics& gpu) -> Place {
  const std::string_view uuid = gpu.text(Text::kUuid);
  return {uuid, gpu.text(Text::kNode), uuid.empty() ? gpu.text(Text::kGpuId) : ""};
}

template <class RowT>
SummaryGroup& Summary::GroupOf(const RowT& row) {
  if (by_ == SummaryBy::kFleet) return groups_[""];
  return groups_[row.text(by_ == SummaryBy::kNode ? Text::kNode : Text::kGpuName)];
}

std::size_t Summary::IndexOf(const GpuMetrics& gpu) const {
  return static_cast<std::size_t>(&gpu - behind_.gpus.gpus.data());
}

State Summary::StateOf(const GpuMetrics& gpu) const {
  const bool held = held_[IndexOf(gpu)] || gpu.workload_count > 0;
  return fleet::StateOf(gpu, fleet::Assess(gpu, rules_), held, rules_);
}

void Summary::AddProcesses() {
  if (behind_.processes == nullptr) return;
  const gpu::GpuRows rows(behind_.gpus.gpus);
  for (const models::GpuProcess& process : behind_.processes->processes) {
    const std::size_t at = rows.Find(process);
    const bool listed = at != gpu::GpuRows::kNone;
    if (listed) held_[at] = true;
    SummaryGroup& group = listed ? GroupOf(behind_.gpus.gpus[at]) : GroupOf(process);
    ++group.processes;
    if (const auto user = process.text(Text::kUser); !user.empty()) group.users.insert(user);
  }
}

// What a divided GPU does is what its instances do.
void Summary::JudgeInstances() {
  for (const GpuMetrics& gpu : behind_.gpus.gpus) {
    if (!gpu::IsInstance(gpu)) continue;
    ++GroupOf(gpu).instances;
    const State state = StateOf(gpu);
    const auto [known, is_new] = instances_.try_emplace(PlaceOf(gpu));
    Instances& its = known->second;
    its.state = is_new ? state : fleet::Both(its.state, state);
    its.memory_used += Get(gpu, Quantity::kMemoryUsed).value_or(std::nan(""));
    its.memory_total += Get(gpu, Quantity::kMemoryTotal).value_or(std::nan(""));
    if (!its.power) its.power = Get(gpu, Quantity::kPower);
    if (!its.temperature) its.temperature = Get(gpu, Quantity::kTemperature);
    AddWhatIsOn(gpu);
  }
}

void Summary::AddWhatIsOn(const GpuMetrics& gpu) {
  SummaryGroup& group = GroupOf(gpu);
  const auto workloads =
      std::span(behind_.gpus.workloads).subspan(gpu.first_workload, gpu.workload_count);
  for (const models::Workload& workload : workloads) group.namespaces.insert(workload.name_space);
  if (!(group.newest >= gpu.newest)) group.newest = gpu.newest;
}

// One of which nobody tells but its instances.
void Summary::AddParts(const Instances& its, SummaryGroup& group) {
  ++group.states[static_cast<std::size_t>(its.state)];
  if (!std::isnan(its.memory_used) && !std::isnan(its.memory_total)) {
    group.memory_used.Add(its.memory_used);
    group.memory_total.Add(its.memory_total);
  }
  group.power.Add(its.power);
  group.temperature.Add(its.temperature);
}

void Summary::AddGpu(const GpuMetrics& gpu) {
  SummaryGroup& group = GroupOf(gpu);
  ++group.gpus;
  group.health.Add(fleet::Assess(gpu, rules_));
  const auto parts = instances_.find(PlaceOf(gpu));
  if (gpu::IsInstance(gpu)) return AddParts(parts->second, group);
  State state = StateOf(gpu);
  if (gpu.divided && parts != instances_.end() && state != State::kUnhealthy) {
    state = parts->second.state;
  }
  ++group.states[static_cast<std::size_t>(state)];
  group.utilization.Add(Get(gpu, Quantity::kUtilization));
  if (Get(gpu, Quantity::kMemoryUsed) && Get(gpu, Quantity::kMemoryTotal)) {
    group.memory_used.Add(Get(gpu, Quantity::kMemoryUsed));
    group.memory_total.Add(Get(gpu, Quantity::kMemoryTotal));
  }
  group.power.Add(Get(gpu, Quantity::kPower));
  group.temperature.Add(Get(gpu, Quantity::kTemperature));
  AddWhatIsOn(gpu);
}

void Summary::AddPods() {
  if (behind_.pods == nullptr || by_ == SummaryBy::kModel) return;
  for (const models::Pod& pod : behind_.pods->pods) {
    SummaryGroup& group = groups_[by_ == SummaryBy::kFleet ? std::string_view() : pod.node];
    if (pod.phase == models::kRunning) {
      ++group.pods_running;
      group.gpus_requested += pod.gpus_requested;
      group.namespaces.insert(pod.name_space);
    } else if (pod.phase == models::kPending) {
      ++group.pods_pending;
      group.gpus_pending += pod.gpus_requested;
    }
  }
}

}  // namespace gpumon::handlers
