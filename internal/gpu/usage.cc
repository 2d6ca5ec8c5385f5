#include "internal/gpu/usage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

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

// The board that a row is of, or a part of: cloned machines show one UUID.
// nvitop calls an instance `0:1`.
std::string_view BoardId(std::string_view id) {
  return id.substr(0, id.find(':'));
}

std::array<std::string_view, 3> DeviceOf(const GpuMetrics& row) {
  if (!row.text(Text::kUuid).empty()) return {row.text(Text::kUuid), row.text(Text::kNode), ""};
  const std::string_view id = row.text(Text::kGpuId);
  return {"", row.text(Text::kNode), IsInstance(row) ? BoardId(id) : id};
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
void AddParts(Total& total, std::span<const Workload* const> parts, double Workload::*measured,
              NullReason Workload::*why) {
  double sum = 0;
  for (const Workload* part : parts) {
    if (std::isnan(part->*measured)) return total.Miss(part->*why);
    sum += part->*measured;
  }
  total.Add(sum);
}

// Boards that can be divided, by a part of their product name, and their slices.
struct Slices {
  std::string_view board;
  int all;
};
constexpr std::array kSlices = {
    // https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-mig-profiles.html
    Slices{"RTX PRO 6000", 4}, Slices{"A30", 4},  Slices{"A100", 7}, Slices{"A800", 7},
    Slices{"H100", 7},         Slices{"H800", 7}, Slices{"H20", 7},  Slices{"H200", 7},
    Slices{"B200", 7},         Slices{"B300", 7}};

// Of a whole GPU 1; of a MIG instance the slices of its profile (`3g.40gb` has 3, a compute
// instance `1c.3g.40gb` 1) of those that the board has. NaN where nobody knows.
double PartOfGpu(const GpuMetrics& row) {
  if (!IsInstance(row)) return 1;
  const std::string_view name = row.text(Text::kGpuName);
  const auto* const board = std::find_if(kSlices.begin(), kSlices.end(), [&](const Slices& slices) {
    return name.find(slices.board) != std::string_view::npos;
  });
  const std::string_view profile = row.text(Text::kMigProfile);
  const bool told = profile.size() > 1 && profile[0] >= '1' && profile[0] <= '7' &&
                    (profile[1] == 'g' || profile[1] == 'c');
  if (board == kSlices.end() || !told) return std::numeric_limits<double>::quiet_NaN();
  return std::min(1.0, static_cast<double>(profile[0] - '0') / board->all);
}

void AddBoard(Usage& usage, const GpuMetrics& row) {
  usage.devices.insert(DeviceOf(row));
  usage.gpus = usage.devices.size();
  if (IsInstance(row)) ++usage.mig_instances;
  AddText(usage.nodes, row.text(Text::kNode));
  AddText(usage.gpu_names, row.text(Text::kGpuName));
}

void AddGpu(Usage& usage, const GpuMetrics& row) {
  AddBoard(usage, row);
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
  usage.share += PartOfGpu(row) / static_cast<double>(holders);
  usage.shared_gpus += holders > 1 ? 1U : 0U;
  // Who holds it alone has all of it, unless its part of it is measured.
  const auto add = [&](Total& total, double Workload::*part, NullReason Workload::*why,
                       Quantity quantity) {
    const bool measured = std::any_of(parts.begin(), parts.end(),
                                      [&](const Workload* one) { return !std::isnan(one->*part); });
    if (holders > 1 || measured) {
      AddParts(total, parts, part, why);
    } else {
      AddReading(total, row, quantity);
    }
  };
  add(usage.utilization, &Workload::utilization, &Workload::no_utilization, Quantity::kUtilization);
  add(usage.memory_used, &Workload::memory_used, &Workload::no_memory_used, Quantity::kMemoryUsed);
}

// A namespace and a pod's name.
using PodName = std::pair<std::string_view, std::string_view>;

// Groups pods by `key`: a text, or a tuple of texts, of a pod's name and of what kube-state-metrics
// tells of it (null where it does not).
template <class Key>
class Grouping {
 public:
  Grouping(const models::Snapshot& pods, Key key) : key_(key) {
    for (const models::Pod& pod : pods.pods) {
      told_[{pod.name_space, pod.name}] = &pod;
      if (pod.holds_gpus()) ++holders_[pod.name];
    }
  }

  // What holds each GPU.
  void AddGpus(const models::Snapshot& gpus) {
    for (const GpuMetrics& row : gpus.gpus) {
      if (const NullReason why = row.holder_reason(); why != NullReason::kNone) {
        untold_nodes_.try_emplace(row.text(Text::kNode), why);
      }
      std::map<KeyT, std::vector<const Workload*>> holders;
      for (const Workload& workload : WorkloadsOf(gpus, row)) {
        const PodName name{workload.name_space, workload.pod};
        named_.insert(name);
        holders[key_(name, Told(name))].push_back(&workload);
      }
      for (const auto& [key, parts] : holders) {
        AddHeld(Of(key, {parts.front()->name_space, parts.front()->pod}), row, parts,
                holders.size());
      }
    }
  }

  // Pods that hold GPUs, though no exporter says which.
  void AddUnnamed() {
    for (const auto& [name, pod] : told_) {
      // Some exporters leave the namespace out: then it is this one where no other has its name.
      const bool is_meant = holders_[name.second] == 1 && named_.count({"", name.second}) > 0;
      if (!pod->holds_gpus() || named_.count(name) > 0 || is_meant) continue;
      Usage& usage = Of(key_(name, pod), name);
      AddText(usage.pods, pod->name);
      AddText(usage.nodes, pod->node);
      const auto untold = untold_nodes_.find(pod->node);
      if (untold != untold_nodes_.end()) usage.unnamed = untold->second;
    }
  }

  std::vector<Usage> Finish() {
    std::vector<Usage> usages;
    usages.reserve(all_.size());
    for (auto& [key, usage] : all_) {
      for (const std::string_view pod : usage.pods) AddRequest(usage, {usage.name_space, pod});
      if (usage.requested.known == 0) usage.requested.Miss(NullReason::kNotExported);
      if (usage.gpus == 0) {
        usage.utilization.Miss(usage.unnamed);
        usage.memory_used.Miss(usage.unnamed);
      }
      usages.push_back(std::move(usage));
    }
    return usages;
  }

 private:
  using KeyT = std::invoke_result_t<Key, PodName, const models::Pod*>;

  const models::Pod* Told(const PodName& name) const {
    const auto found = told_.find(name);
    return found == told_.end() ? nullptr : found->second;
  }

  // The group of `key`, of which `name` is one.
  Usage& Of(const KeyT& key, const PodName& name) {
    const auto [place, first] = all_.try_emplace(key);
    Usage& usage = place->second;
    if (!first) return usage;
    usage.name_space = name.first;
    usage.pod = name.second;
    if (const models::Pod* const pod = Told(name)) {
      usage.phase = pod->phase;
      usage.owner_kind = pod->owner_kind;
      usage.owner_name = pod->owner_name;
    }
    return usage;
  }

  void AddRequest(Usage& usage, const PodName& name) const {
    const models::Pod* const pod = Told(name);
    if (pod != nullptr && pod->ended()) return;
    if (pod == nullptr || !pod->asks_for_gpus()) {
      usage.requested.Miss(NullReason::kNotExported);
    } else {
      usage.requested.Add(pod->gpus_requested);
    }
  }

  const Key key_;
  std::map<PodName, const models::Pod*> told_;
  std::map<std::string_view, std::size_t> holders_;      // by name: pods that hold GPUs
  std::set<PodName> named_;                              // by exporters
  std::map<std::string_view, NullReason> untold_nodes_;  // where nobody says who holds some GPU
  std::map<KeyT, Usage> all_;
};

template <class Key>
std::vector<Usage> Group(const models::Snapshot& gpus, const models::Snapshot& pods, Key key) {
  Grouping<Key> grouping(pods, key);
  grouping.AddGpus(gpus);
  grouping.AddUnnamed();
  return grouping.Finish();
}

// Of a process whose GPU the list of GPUs does not have.
GpuKey OwnKeyOf(const models::GpuProcess& process) {
  GpuKey key = GpuRows::PlaceOf(process);
  if (const auto uuid = process.text(Text::kUuid); !uuid.empty()) key[1] = uuid;
  return key;
}

void AddProcess(Usage& usage, const models::GpuProcess& process) {
  AddText(usage.nodes, process.text(Text::kNode));
  AddText(usage.pods, process.text(Text::kPod));
  if (usage.pods_untold == NullReason::kNone) usage.pods_untold = process.holder_reason();
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

using Device = std::array<std::string_view, 3>;               // as DeviceOf
using Place = std::pair<std::string_view, std::string_view>;  // node, id of the board

// By place, whatever shows it.
std::map<Place, Device> DevicesAt(const std::vector<GpuMetrics>& rows) {
  std::map<Place, Device> boards;
  for (const GpuMetrics& row : rows) {
    const std::string_view id = row.text(Text::kGpuId);
    if (!id.empty()) boards.try_emplace({row.text(Text::kNode), BoardId(id)}, DeviceOf(row));
  }
  return boards;
}

// What stands for the GPU of a process that has no row. A MIG instance is a part of its board.
Device DeviceOf(const GpuKey& key, std::string_view id, const std::map<Place, Device>& boards) {
  if (!key[1].starts_with("MIG-") || id.empty()) return {key[1], key[0], ""};
  const auto board = boards.find({key[0], BoardId(id)});
  return board == boards.end() ? Device{"", key[0], BoardId(id)} : board->second;
}

// Of one of the `users` of a process's GPU, which has no row: what part of a board a MIG instance
// is nobody knows.
void AddUnlisted(Usage& usage, const GpuKey& key, const Device& device, std::size_t users) {
  usage.devices.insert(device);
  usage.gpus = usage.devices.size();
  const bool whole = key[2].empty() && !key[1].starts_with("MIG-");
  usage.share += whole ? 1 / static_cast<double>(users) : std::numeric_limits<double>::quiet_NaN();
  usage.utilization.Miss(NullReason::kNotExported);
}

// The same with one. Of a divided board nobody knows which instance it is.
void AddListed(Usage& usage, const GpuMetrics& row, std::size_t users) {
  AddBoard(usage, row);
  const bool of_some_instance = row.divided && !IsInstance(row);
  usage.share += of_some_instance ? std::numeric_limits<double>::quiet_NaN()
                                  : PartOfGpu(row) / static_cast<double>(users);
  if (users == 1) {
    AddReading(usage.utilization, row, Quantity::kUtilization);
  } else {
    usage.utilization.Miss(NullReason::kNotExported);
  }
}

}  // namespace

std::vector<Usage> UsageByPod(const models::Snapshot& gpus, const models::Snapshot& pods) {
  return Group(gpus, pods, [](const PodName& name, const models::Pod*) { return name; });
}

std::vector<Usage> UsageByNamespace(const models::Snapshot& gpus, const models::Snapshot& pods) {
  auto usages =
      Group(gpus, pods, [](const PodName& name, const models::Pod*) { return name.first; });
  for (Usage& usage : usages) {
    usage.pod = usage.phase = usage.owner_kind = usage.owner_name = {};
  }
  return usages;
}

std::vector<Usage> UsageByOwner(const models::Snapshot& gpus, const models::Snapshot& pods) {
  auto usages = Group(gpus, pods, [](const PodName& name, const models::Pod* pod) {
    if (pod == nullptr) return std::tuple(name.first, std::string_view(), std::string_view());
    return std::tuple(name.first, pod->owner_kind, pod->owner_name);
  });
  for (Usage& usage : usages) usage.pod = usage.phase = {};
  return usages;
}

std::vector<Usage> UsageByUser(const models::Snapshot& gpus, const models::Snapshot& processes) {
  std::map<std::string_view, Usage> all;
  const GpuRows rows(gpus.gpus);
  const auto boards = DevicesAt(gpus.gpus);
  using Used = std::pair<std::size_t, GpuKey>;  // its row, or what it calls itself
  std::map<Used, std::set<std::string_view>> users;
  std::map<GpuKey, std::string_view> ids;  // of those without a row
  const bool told =
      std::any_of(processes.processes.begin(), processes.processes.end(),
                  [](const auto& process) { return !process.text(Text::kPod).empty(); });
  using Process = std::tuple<std::string_view, std::string_view, std::string_view, std::int64_t>;
  std::set<Process> seen;
  for (const models::GpuProcess& process : processes.processes) {
    const std::string_view user = process.text(Text::kUser);
    Usage& usage = all[user];
    usage.user = user;
    // One process may have a row on each of several GPUs.
    const std::string_view node = process.text(Text::kNode);
    const bool named = !node.empty() && process.pid != 0;
    usage.processes +=
        !named || seen.emplace(user, node, process.text(Text::kPod), process.pid).second ? 1U : 0U;
    AddProcess(usage, process);
    if (!told && usage.pods_untold == NullReason::kNone) {
      usage.pods_untold = NullReason::kNotExported;
    }
    const std::size_t row = rows.Find(process);
    const GpuKey own = row == GpuRows::kNone ? OwnKeyOf(process) : GpuKey();
    users[{row, own}].insert(user);
    if (row == GpuRows::kNone) ids.try_emplace(own, process.text(Text::kGpuId));
  }
  for (const auto& [device, names] : users) {
    for (const std::string_view user : names) {
      Usage& usage = all[user];
      if (names.size() > 1) ++usage.shared_gpus;
      if (device.first == GpuRows::kNone) {
        const GpuKey& key = device.second;
        AddUnlisted(usage, key, DeviceOf(key, ids.at(key), boards), names.size());
      } else {
        AddListed(usage, gpus.gpus[device.first], names.size());
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
