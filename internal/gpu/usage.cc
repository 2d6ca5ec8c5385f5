#include "internal/gpu/usage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <utility>

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::ProcessQuantity;
using models::Quantity;
using models::Text;
using models::Workload;

std::span<const Workload> WorkloadsOf(const models::Snapshot& snapshot, const GpuMetrics& row) {
  return std::span(snapshot.workloads).subspan(row.first_workload, row.workload_count);
}

void AddText(std::set<std::string_view>& texts, std::string_view text) {
  if (!text.empty()) texts.insert(text);
}

void AddReading(Total& total, const GpuMetrics& row, Quantity quantity) {
  const auto slot = static_cast<std::size_t>(quantity);
  if (const auto value = row.readings.Get(slot)) {
    total.Add(*value);
  } else {
    total.Miss(row.readings.reason(slot));
  }
}

// What is measured of the parts of one GPU, together.
void AddParts(Total& total, std::span<const Workload* const> parts, double Workload::*measured) {
  double sum = 0;
  for (const Workload* part : parts) sum += part->*measured;  // NaN when one is not known
  if (std::isnan(sum)) {
    total.Miss(NullReason::kNotExported);
  } else {
    total.Add(sum);
  }
}

void AddGpu(Usage& usage, const GpuMetrics& row) {
  ++usage.gpus;
  AddText(usage.nodes, row.text(Text::kNode));
  AddText(usage.gpu_names, row.text(Text::kGpuName));
  AddText(usage.sources, row.text(Text::kSource));
  if (!(usage.newest >= row.newest)) usage.newest = row.newest;
}

// `parts` of the row's `holders` workloads or namespaces.
void AddHeld(Usage& usage, const GpuMetrics& row, std::span<const Workload* const> parts,
             std::size_t holders) {
  AddGpu(usage, row);
  for (const Workload* part : parts) {
    AddText(usage.pods, part->pod);
    AddText(usage.containers, part->container);
  }
  usage.share += 1.0 / static_cast<double>(holders);
  if (holders == 1) {
    AddReading(usage.utilization, row, Quantity::kUtilization);
    AddReading(usage.memory_used, row, Quantity::kMemoryUsed);
    return;
  }
  ++usage.shared_gpus;
  AddParts(usage.utilization, parts, &Workload::utilization);
  AddParts(usage.memory_used, parts, &Workload::memory_used);
}

// Groups what holds each GPU by `key`, a tuple of texts.
template <class Key>
std::vector<Usage> Group(const models::Snapshot& gpus, Key key) {
  using KeyT = decltype(key(std::declval<const Workload&>()));
  std::map<KeyT, Usage> all;
  for (const GpuMetrics& row : gpus.gpus) {
    std::map<KeyT, std::vector<const Workload*>> holders;
    for (const Workload& workload : WorkloadsOf(gpus, row)) {
      holders[key(workload)].push_back(&workload);
    }
    for (const auto& [name, parts] : holders) {
      Usage& usage = all[name];
      if (usage.gpus == 0) {
        usage.newest = std::numeric_limits<double>::quiet_NaN();
        usage.name_space = parts.front()->name_space;
        usage.pod = parts.front()->pod;
      }
      AddHeld(usage, row, parts, holders.size());
    }
  }
  std::vector<Usage> usages;
  usages.reserve(all.size());
  for (auto& [name, usage] : all) usages.push_back(std::move(usage));
  return usages;
}

using GpuKey = std::array<std::string_view, 4>;

template <class Row>
GpuKey PlaceOf(const Row& row) {
  return {row.text(Text::kNode), row.text(Text::kGpuId), row.text(Text::kMigGpuInstance),
          row.text(Text::kMigComputeInstance)};
}

template <class Row>
GpuKey KeyOf(const Row& row) {
  if (!row.text(Text::kUuid).empty() && row.text(Text::kMigGpuInstance).empty()) {
    return {"", row.text(Text::kUuid), "", ""};
  }
  return PlaceOf(row);
}

void AddProcess(Usage& usage, const models::GpuProcess& process) {
  ++usage.processes;
  AddText(usage.nodes, process.text(Text::kNode));
  AddText(usage.pods, process.text(Text::kPod));
  AddText(usage.gpu_names, process.text(Text::kGpuName));
  AddText(usage.sources, process.text(Text::kSource));
  if (!(usage.newest >= process.newest)) usage.newest = process.newest;
  const auto slot = static_cast<std::size_t>(ProcessQuantity::kGpuMemory);
  if (const auto memory = process.readings.Get(slot)) {
    usage.memory_used.Add(*memory);
  } else {
    usage.memory_used.Miss(process.readings.reason(slot));
  }
}

}  // namespace

std::vector<Usage> UsageByPod(const models::Snapshot& gpus) {
  return Group(
      gpus, [](const Workload& workload) { return std::pair(workload.name_space, workload.pod); });
}

std::vector<Usage> UsageByNamespace(const models::Snapshot& gpus) {
  auto usages = Group(gpus, [](const Workload& workload) { return workload.name_space; });
  for (Usage& usage : usages) usage.pod = {};
  return usages;
}

std::vector<Usage> UsageByUser(const models::Snapshot& gpus, const models::Snapshot& processes) {
  std::map<std::string_view, Usage> all;
  std::map<GpuKey, std::set<std::string_view>> users;
  for (const models::GpuProcess& process : processes.processes) {
    const std::string_view user = process.text(Text::kUser);
    Usage& usage = all[user];
    if (usage.processes == 0) usage.newest = std::numeric_limits<double>::quiet_NaN();
    usage.user = user;
    AddProcess(usage, process);
    users[KeyOf(process)].insert(user);
  }
  std::map<GpuKey, const GpuMetrics*> rows;
  for (const GpuMetrics& row : gpus.gpus) {
    rows[PlaceOf(row)] = &row;
    rows[KeyOf(row)] = &row;
  }
  for (const auto& [key, names] : users) {
    const auto row = rows.find(key);
    for (const std::string_view user : names) {
      Usage& usage = all[user];
      ++usage.gpus;
      usage.share += 1.0 / static_cast<double>(names.size());
      if (row != rows.end()) {
        AddText(usage.nodes, row->second->text(Text::kNode));
        AddText(usage.gpu_names, row->second->text(Text::kGpuName));
      }
      if (names.size() > 1) ++usage.shared_gpus;
      if (names.size() == 1 && row != rows.end()) {
        AddReading(usage.utilization, *row->second, Quantity::kUtilization);
      } else {
        usage.utilization.Miss(NullReason::kNotExported);
      }
    }
  }
  std::vector<Usage> usages;
  usages.reserve(all.size());
  for (auto& [name, usage] : all) usages.push_back(std::move(usage));
  // "" sorts first.
  if (!usages.empty() && usages.front().user.empty()) {
    std::rotate(usages.begin(), usages.begin() + 1, usages.end());
  }
  return usages;
}

}  // namespace gpumon::gpu
