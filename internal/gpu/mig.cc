#include "internal/gpu/mig.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "internal/gpu/identity.h"

namespace gpumon::gpu {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using models::Text;

namespace {

// Finds the GPUs that instances are parts of.
class Boards {
 public:
  explicit Boards(std::vector<GpuMetrics>& rows) {
    for (GpuMetrics& row : rows) {
      if (IsInstance(row)) continue;
      if (!row.text(Text::kUuid).empty()) by_uuid_.emplace(row.text(Text::kUuid), &row);
      if (row.text(Text::kNode).empty() || row.text(Text::kGpuId).empty()) continue;
      by_id_.emplace(std::pair(row.text(Text::kNode), row.text(Text::kGpuId)), &row);
    }
  }

  // The one GPU of that UUID on the instance's node, or anywhere when the instance names no node;
  // else the only one with its node and id, where one of the two has no UUID: then it has the
  // other's from now on.
  GpuMetrics* Of(GpuMetrics& instance) {
    GpuMetrics* found = nullptr;
    const std::string_view node = instance.text(Text::kNode);
    const auto [first, last] = by_uuid_.equal_range(instance.text(Text::kUuid));
    for (auto at = first; at != last; ++at) {
      if (!node.empty() && at->second->text(Text::kNode) != node) continue;
      if (found != nullptr) return nullptr;  // a cloned machine shows another's UUIDs
      found = at->second;
    }
    return found != nullptr ? found : OfPlace(instance);
  }

 private:
  GpuMetrics* OfPlace(GpuMetrics& instance) {
    GpuMetrics* found = nullptr;
    const auto [first, last] =
        by_id_.equal_range({instance.text(Text::kNode), instance.text(Text::kGpuId)});
    for (auto at = first; at != last; ++at) {
      const GpuMetrics& row = *at->second;
      const std::string_view uuid = row.text(Text::kUuid);
      if ((!uuid.empty() && !instance.text(Text::kUuid).empty()) ||
          !Agree(row.text(Text::kVendor), instance.text(Text::kVendor))) {
        continue;
      }
      if (found != nullptr) return nullptr;
      found = at->second;
    }
    if (found == nullptr) return nullptr;
    for (auto [one, other] : {std::pair(found, &instance), std::pair(&instance, found)}) {
      if (one->text(Text::kUuid).empty()) one->set_text(Text::kUuid, other->text(Text::kUuid));
    }
    return found;
  }

  std::unordered_multimap<std::string_view, GpuMetrics*> by_uuid_;
  std::multimap<std::pair<std::string_view, std::string_view>, GpuMetrics*> by_id_;  // node, id
};

}  // namespace

bool IsInstance(const GpuMetrics& row) {
  return !row.text(Text::kMigGpuInstance).empty() || !row.text(Text::kMigUuid).empty();
}

namespace {

// Boards by their names; the first row of a name counts.
class BoardNames {
 public:
  void Add(const GpuMetrics& row, std::size_t at) {
    if (!row.text(Text::kUuid).empty()) by_uuid_.emplace(UuidOf(row), at);
    if (!row.text(Text::kNode).empty() && !row.text(Text::kGpuId).empty()) {
      by_id_.emplace(IdOf(row), at);
    }
  }
  std::optional<std::size_t> Find(const GpuMetrics& instance) const {
    const bool by_uuid = !instance.text(Text::kUuid).empty();
    const auto& names = by_uuid ? by_uuid_ : by_id_;
    const auto found = names.find(by_uuid ? UuidOf(instance) : IdOf(instance));
    return found == names.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  using Name = std::array<std::string_view, 3>;
  static Name UuidOf(const GpuMetrics& row) {
    return {row.text(Text::kUuid), row.text(Text::kNode)};
  }
  static Name IdOf(const GpuMetrics& row) {
    return {row.text(Text::kNode), row.text(Text::kGpuId), row.text(Text::kVendor)};
  }

  std::map<Name, std::size_t> by_uuid_;
  std::map<Name, std::size_t> by_id_;
};

// Instances without a node and a UUID: an instance that comes again is another board's.
class NamelessBoards {
 public:
  std::size_t Of(const GpuMetrics& instance, std::size_t at) {
    const std::size_t turn =
        seen_[{instance.text(Text::kGpuId), instance.text(Text::kMigGpuInstance),
               instance.text(Text::kMigComputeInstance)}]++;
    return boards_.try_emplace({instance.text(Text::kGpuId), turn}, at).first->second;
  }

 private:
  std::map<std::array<std::string_view, 3>, std::size_t> seen_;
  std::map<std::pair<std::string_view, std::size_t>, std::size_t> boards_;
};

}  // namespace

std::vector<std::size_t> BoardsOf(const std::vector<GpuMetrics>& rows) {
  std::vector<std::size_t> boards(rows.size());
  std::iota(boards.begin(), boards.end(), std::size_t{0});
  if (std::none_of(rows.begin(), rows.end(), IsInstance)) return boards;
  BoardNames names;
  NamelessBoards nameless;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!IsInstance(rows[i])) names.Add(rows[i], i);
  }
  // An instance that names its board by node and id alone may be of one that others name by UUID.
  for (const bool with_uuid : {true, false}) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const GpuMetrics& row = rows[i];
      if (!IsInstance(row) || row.text(Text::kUuid).empty() == with_uuid) continue;
      if (!with_uuid && row.text(Text::kNode).empty()) {
        boards[i] = nameless.Of(row, i);
      } else if (const auto board = names.Find(row)) {
        boards[i] = *board;
      } else {
        names.Add(row, i);
      }
    }
  }
  return boards;
}

std::vector<const GpuMetrics*> WholeGpus(const std::vector<GpuMetrics>& rows) {
  const std::vector<std::size_t> boards = BoardsOf(rows);
  std::vector<const GpuMetrics*> whole;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (boards[i] == i) whole.push_back(&rows[i]);
  }
  return whole;
}

ComputeInstances::Place ComputeInstances::PlaceOf(const GpuMetrics& row) {
  const std::string_view uuid = row.text(Text::kUuid);
  const std::string_view instance = row.text(Text::kMigGpuInstance);
  if (!uuid.empty()) return {uuid, "", "", instance};
  return {"", row.text(Text::kNode), row.text(Text::kGpuId), instance};
}

void ComputeInstances::Add(const GpuMetrics& row) {
  const std::string_view compute = row.text(Text::kMigComputeInstance);
  if (compute.empty()) return;
  const auto [known, is_new] = only_.try_emplace(PlaceOf(row), compute);
  if (!is_new && known->second != compute) known->second = {};
}

std::string_view ComputeInstances::OnlyOneOf(const GpuMetrics& row) const {
  if (only_.empty() || row.text(Text::kMigGpuInstance).empty()) return {};
  if (!row.text(Text::kMigComputeInstance).empty()) return {};
  const auto found = only_.find(PlaceOf(row));
  return found == only_.end() ? std::string_view() : found->second;
}

bool InstanceUuids::IsAlone(const GpuMetrics& row) {
  return row.text(Text::kUuid).empty() && !row.text(Text::kMigUuid).empty();
}

void InstanceUuids::Add(const GpuMetrics& row) {
  if (!row.text(Text::kMigGpuInstance).empty()) {
    bool& has_uuid = have_uuids_[{row.text(Text::kNode), row.text(Text::kGpuId),
                                  row.text(Text::kMigGpuInstance)}];
    has_uuid |= !row.text(Text::kMigUuid).empty();
  }
  if (row.text(Text::kUuid).empty() || row.text(Text::kMigUuid).empty()) return;
  const Instance its = {row.text(Text::kUuid), row.text(Text::kMigGpuInstance),
                        row.text(Text::kMigComputeInstance)};
  const auto [at, is_new] = instances_.try_emplace(row.text(Text::kMigUuid), its);
  if (is_new) return;
  Instance& known = at->second;
  if (known[0] != its[0] || !Agree(known[1], its[1]) || !Agree(known[2], its[2])) {
    known = {};
    return;
  }
  for (std::size_t i = 0; i < its.size(); ++i) {
    if (known[i].empty()) known[i] = its[i];
  }
}

bool InstanceUuids::Knows(const GpuMetrics& row) const {
  if (instances_.empty() || !IsAlone(row)) return false;
  const auto found = instances_.find(row.text(Text::kMigUuid));
  return found != instances_.end() && !found->second[0].empty();
}

bool InstanceUuids::MayBeAnother(const GpuMetrics& row) const {
  if (have_uuids_.empty() || !IsAlone(row) || Knows(row)) return false;
  const std::string_view node = row.text(Text::kNode);
  const std::string_view id = row.text(Text::kGpuId);
  for (auto at = have_uuids_.lower_bound({node, id, ""});
       at != have_uuids_.end() && at->first[0] == node && at->first[1] == id; ++at) {
    if (!at->second) return true;
  }
  return false;
}

void InstanceUuids::Name(GpuMetrics& row) const {
  if (!Knows(row)) return;
  const Instance& its = instances_.find(row.text(Text::kMigUuid))->second;
  row.set_text(Text::kUuid, its[0]);
  if (row.text(Text::kMigGpuInstance).empty()) row.set_text(Text::kMigGpuInstance, its[1]);
  if (row.text(Text::kMigComputeInstance).empty()) row.set_text(Text::kMigComputeInstance, its[2]);
}

namespace {

constexpr Quantity kOfWholeGpus[] = {Quantity::kUtilization, Quantity::kMemoryUtilization,
                                     Quantity::kEncoderUtilization, Quantity::kDecoderUtilization};

// Some exporters write 0 for what a divided GPU cannot tell, others nothing.
void HideUndivided(GpuMetrics& gpu) {
  for (const Quantity quantity : kOfWholeGpus) {
    const auto slot = static_cast<std::size_t>(quantity);
    const NullReason reason = gpu.readings.reason(slot);
    const bool none = reason == NullReason::kNotExported || reason == NullReason::kExporterDown;
    if (none || gpu.readings.Get(slot) == 0) {
      gpu.readings.SetAbsent(slot, NullReason::kNotSupported);
    }
  }
}

// Where nobody shows what its engines do.
void ExplainInstance(GpuMetrics& instance) {
  for (const Quantity quantity : kOfWholeGpus) {
    const auto slot = static_cast<std::size_t>(quantity);
    if (instance.readings.reason(slot) == NullReason::kNotExported) {
      instance.readings.SetAbsent(slot, NullReason::kNotSupported);
    }
  }
}

}  // namespace

void NameInstances(std::vector<GpuMetrics>& rows) {
  if (std::none_of(rows.begin(), rows.end(), IsInstance)) return;
  Boards boards(rows);
  for (GpuMetrics& row : rows) {
    GpuMetrics* const gpu = IsInstance(row) ? boards.Of(row) : nullptr;
    if (gpu == nullptr) continue;
    for (const Text text :
         {Text::kNode, Text::kGpuId, Text::kGpuName, Text::kDriverVersion, Text::kPciBusId}) {
      if (row.text(text).empty()) row.set_text(text, gpu->text(text));
    }
    if (row.gpu_index == GpuMetrics::kNoIndex)
      row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
    gpu->divided = true;
  }
}

void ExplainInstances(std::vector<GpuMetrics>& rows) {
  for (GpuMetrics& row : rows) {
    if (IsInstance(row)) {
      ExplainInstance(row);
    } else if (row.divided) {
      HideUndivided(row);
    }
  }
}

}  // namespace gpumon::gpu
