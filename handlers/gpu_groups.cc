#include "handlers/gpu_groups.h"

#include <algorithm>
#include <span>

#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

namespace gpumon::handlers {

using fleet::State;
using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using models::Text;

namespace {

std::optional<double> Get(const GpuMetrics& gpu, Quantity quantity) {
  return gpu.readings.Get(static_cast<std::size_t>(quantity));
}
NullReason ReasonOf(const GpuMetrics& gpu, Quantity quantity) {
  return gpu.readings.reason(static_cast<std::size_t>(quantity));
}

}  // namespace

wire::Value SumOf(const Known& known) {
  return known.gpus == 0 ? wire::Value(known.reason()) : wire::Value(known.sum);
}
wire::Value MeanOf(const Known& known) {
  if (known.gpus == 0) return known.reason();
  return known.sum / static_cast<double>(known.gpus);
}
wire::Value MostOf(const Known& known) {
  return known.gpus == 0 ? wire::Value(known.reason()) : wire::Value(known.most);
}

void Known::Add(std::optional<double> value, NullReason reason) {
  if (!value) {
    if (why == NullReason::kNone) why = reason;
    return;
  }
  sum += *value;
  most = std::max(most, *value);
  ++gpus;
}

GpuGroups::GpuGroups(const models::Snapshot& gpus, const models::Snapshot* processes, By by,
                     const fleet::HealthRules& rules)
    : gpus_(gpus),
      by_(by),
      rules_(rules),
      held_(gpus.gpus.size(), false),
      boards_(gpu::BoardsOf(gpus.gpus)) {
  if (by == By::kFleet) groups_[""];
  if (processes != nullptr) AddProcesses(*processes);
  JudgeInstances();
  for (std::size_t i = 0; i < boards_.size(); ++i) {
    if (boards_[i] == i) AddGpu(gpus.gpus[i]);
  }
  for (auto& [name, group] : groups_) {
    if (group.memory_used.gpus > 0) continue;
    const auto used = used_alone_.find(&group);
    const auto total = total_alone_.find(&group);
    if (used != used_alone_.end()) {
      group.memory_used = used->second;
    } else if (total != total_alone_.end()) {
      group.memory_total = total->second;
    }
  }
}

template <class RowT>
GpuGroup& GpuGroups::GroupOf(const RowT& row) {
  if (by_ == By::kFleet) return groups_[""];
  return groups_[row.text(by_ == By::kNode ? Text::kNode : Text::kGpuName)];
}

State GpuGroups::StateOf(const GpuMetrics& gpu) const {
  const bool held = held_[IndexOf(gpu)] || gpu.workload_count > 0;
  return fleet::StateOf(gpu, fleet::Assess(gpu, rules_), held, rules_);
}

void GpuGroups::AddProcesses(const models::Snapshot& processes) {
  const gpu::GpuRows rows(gpus_.gpus);
  for (const models::GpuProcess& process : processes.processes) {
    const std::size_t at = rows.Find(process);
    const bool listed = at != gpu::GpuRows::kNone;
    if (listed) held_[at] = true;
    GpuGroup& group = listed ? GroupOf(gpus_.gpus[at]) : GroupOf(process);
    ++group.processes;
    if (const auto user = process.text(Text::kUser); !user.empty()) group.users.insert(user);
  }
}

// What a divided GPU does is what its instances do.
void GpuGroups::JudgeInstances() {
  for (const GpuMetrics& gpu : gpus_.gpus) {
    if (!gpu::IsInstance(gpu)) continue;
    ++GroupOf(gpu).instances;
    const State state = StateOf(gpu);
    const auto [known, is_new] = instances_.try_emplace(boards_[IndexOf(gpu)]);
    Instances& its = known->second;
    its.state = is_new ? state : fleet::Both(its.state, state);
    its.memory_used += Get(gpu, Quantity::kMemoryUsed).value_or(std::nan(""));
    its.memory_total += Get(gpu, Quantity::kMemoryTotal).value_or(std::nan(""));
    if (!its.power) its.power = Get(gpu, Quantity::kPower);
    if (!its.temperature) its.temperature = Get(gpu, Quantity::kTemperature);
    AddWhatIsOn(gpu);
  }
}

void GpuGroups::AddWhatIsOn(const GpuMetrics& gpu) {
  GpuGroup& group = GroupOf(gpu);
  if (const auto model = gpu.text(Text::kGpuName); !model.empty()) group.models.insert(model);
  const auto workloads = std::span(gpus_.workloads).subspan(gpu.first_workload, gpu.workload_count);
  for (const models::Workload& workload : workloads) group.namespaces.insert(workload.name_space);
  if (group.holders == models::NullReason::kNone) group.holders = gpus_.holder_reason(gpu);
  if (!(group.newest >= gpu.newest)) group.newest = gpu.newest;
}

// What no row of the GPU itself tells its instances do.
void GpuGroups::AddBoard(const GpuMetrics& gpu, const Instances* its, GpuGroup& group) {
  const bool whole = !gpu::IsInstance(gpu);
  const auto own = [&](Quantity quantity) { return whole ? Get(gpu, quantity) : std::nullopt; };
  const auto of_instances = [](double sum) {
    return std::isnan(sum) ? std::nullopt : std::optional<double>(sum);
  };
  auto used = own(Quantity::kMemoryUsed);
  auto total = own(Quantity::kMemoryTotal);
  if (its != nullptr && !(used && total)) {
    const auto parts_used = of_instances(its->memory_used);
    const auto parts_total = of_instances(its->memory_total);
    if (!used || (parts_used && parts_total)) {
      used = parts_used;
      total = parts_total;
    }
  }
  if (used && !total) used_alone_[&group].Add(used, NullReason::kNone);
  if (total && !used) total_alone_[&group].Add(total, NullReason::kNone);
  const bool both = used && total;
  const NullReason why_used = ReasonOf(gpu, Quantity::kMemoryUsed);
  const NullReason why_total = ReasonOf(gpu, Quantity::kMemoryTotal);
  const NullReason why = why_used != NullReason::kNone ? why_used : why_total;
  group.memory_used.Add(both ? used : std::nullopt, why);
  group.memory_total.Add(both ? total : std::nullopt, used ? why_total : why);
  const auto power = own(Quantity::kPower);
  group.power.Add(power || its == nullptr ? power : its->power, ReasonOf(gpu, Quantity::kPower));
  const auto temperature = own(Quantity::kTemperature);
  group.temperature.Add(temperature || its == nullptr ? temperature : its->temperature,
                        ReasonOf(gpu, Quantity::kTemperature));
}

void GpuGroups::AddLost(std::string_view node, std::string_view model,
                        const fleet::Health& health) {
  GpuGroup& group = groups_[by_ == By::kFleet ? "" : by_ == By::kNode ? node : model];
  ++group.lost;
  group.health.Add(health);
}

void GpuGroups::AddGpu(const GpuMetrics& gpu) {
  GpuGroup& group = GroupOf(gpu);
  ++group.gpus;
  group.health.Add(fleet::Assess(gpu, rules_));
  const auto parts = instances_.find(boards_[IndexOf(gpu)]);
  if (gpu::IsInstance(gpu)) {
    ++group.states[static_cast<std::size_t>(parts->second.state)];
    group.utilization.Add(std::nullopt, ReasonOf(gpu, Quantity::kUtilization));
    return AddBoard(gpu, &parts->second, group);
  }
  State state = StateOf(gpu);
  if (gpu.divided && parts != instances_.end() && state != State::kUnhealthy) {
    state = parts->second.state;
  }
  ++group.states[static_cast<std::size_t>(state)];
  group.utilization.Add(Get(gpu, Quantity::kUtilization), ReasonOf(gpu, Quantity::kUtilization));
  AddBoard(gpu, parts != instances_.end() ? &parts->second : nullptr, group);
  AddWhatIsOn(gpu);
}

}  // namespace gpumon::handlers
