#include "internal/gpu/row_table.h"

#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "internal/gpu/contest.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/mix.h"
#include "internal/gpu/target_labels.h"

namespace gpumon::gpu {
namespace {

using models::Text;
using models::Workload;

constexpr std::int64_t kLargestPid = 0x7FFFFFFF;  // pid_t

std::optional<std::int64_t> ParsePid(std::string_view text) {
  std::int64_t pid = 0;
  if (!IsDecimal(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || pid < 1 || pid > kLargestPid) return std::nullopt;
  return pid;
}

// `MIG-GPU-<uuid>/<GPU instance>/<compute instance>`: drivers before R470 name instances so.
void SplitOldMigUuid(Identity& identity) {
  constexpr std::string_view kPrefix = "MIG-GPU-";
  std::string_view& uuid = identity.texts[static_cast<std::size_t>(Text::kUuid)];
  if (!uuid.starts_with(kPrefix)) return;
  const std::size_t first = uuid.find('/');
  const std::size_t second = uuid.find('/', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return;
  const std::string_view whole = uuid;
  const std::array<std::pair<Text, std::string_view>, 4> parts{{
      {Text::kUuid, whole.substr(4, first - 4)},
      {Text::kMigGpuInstance, whole.substr(first + 1, second - first - 1)},
      {Text::kMigComputeInstance, whole.substr(second + 1)},
      {Text::kMigUuid, whole},
  }};
  for (const auto& [which, text] : parts) {
    identity.texts[static_cast<std::size_t>(which)] = text;
  }
}

// Of a row that is known by it, as KeepUuid has it.
std::string_view UuidOf(const models::GpuMetrics& row) {
  const std::string_view of_instance = row.text(Text::kMigUuid);
  return row.text(Text::kUuid).empty() ? of_instance : row.text(Text::kUuid);
}
std::string_view UuidOf(const models::GpuProcess& row) {
  return row.text(Text::kUuid);
}

// `<GPU>:<instance>`, as NVML's own order has them: the id of the GPU is the first.
void SplitInstanceIndex(Identity& identity) {
  if (!identity.text(Text::kUuid).starts_with("MIG-")) return;
  std::string_view& id = identity.texts[static_cast<std::size_t>(Text::kGpuId)];
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || !IsDecimal(id.substr(colon + 1))) return;
  if (IsDecimal(id.substr(0, colon))) id = id.substr(0, colon);
}

}  // namespace

template <class RowT>
RowTable<RowT>::RowTable(const schema::Exporter& exporter, const Surroundings& around,
                         models::Arena& arena, JoinCounts& counts)
    : exporter_(exporter),
      around_(around),
      arena_(arena),
      counts_(counts),
      labels_(exporter, std::tuple_size_v<decltype(RowT::texts)>, kIsProcess),
      targets_(exporter),
      workloads_(arena),
      claims_(arena) {
  may_be_targets_ =
      MayBeTargets(exporter.labels) || (kIsProcess && MayBeTargets(exporter.process_labels));
}

template <class RowT>
void RowTable<RowT>::Reserve(std::size_t rows) {
  rows_.reserve(rows);
  index_.Reserve(rows);
}

template <class RowT>
std::string RowTable<RowT>::PlaceOf(prom::LabelSet labels) {
  const Identity identity = Read(labels);
  const std::string_view node = identity.text(Text::kNode);
  return std::string(node.empty() ? Addresses::HostOf(prom::Get(labels, "instance")) : node);
}

template <class RowT>
std::string_view RowTable<RowT>::PlaceOf(std::uint32_t row) const {
  const std::string_view node = rows_[row].text(Text::kNode);
  return node.empty() ? hosts_[row] : node;
}

template <class RowT>
Identity RowTable<RowT>::Read(prom::LabelSet labels) {
  Identity identity = labels_.Read(labels);
  auto& node = identity.texts[static_cast<std::size_t>(Text::kNode)];
  if (node.empty() && targets_.has_nodes()) node = targets_.NodeOf(Contest::TargetOf(labels));
  // Of an exporter that calls its own pod the node.
  if (around_.own_pods.IsNamed(labels, node)) node = {};
  const auto named = around_.addresses.NodeAt(node.empty() ? prom::Get(labels, "instance") : node);
  if (!named.empty()) node = named;
  auto& id = identity.texts[static_cast<std::size_t>(Text::kGpuId)];
  if (targets_.has_gpus() && id.empty() && identity.text(Text::kUuid).empty()) {
    id = targets_.GpuIdOf(Contest::TargetOf(labels));
  }
  SplitInstanceIndex(identity);
  SplitOldMigUuid(identity);
  auto& name = identity.texts[static_cast<std::size_t>(Text::kGpuName)];
  if (const auto& prefix = exporter_.gpu_name_prefix; name.substr(0, prefix.size()) == prefix) {
    name.remove_prefix(prefix.size());
  }
  if (may_be_targets_) {
    DropTargets(exporter_.labels, around_.own_pods, labels, identity);
    if (kIsProcess) DropTargets(exporter_.process_labels, around_.own_pods, labels, identity);
  }
  if (exporter_.pod_may_be_exporters) ReadPod(labels, identity);
  return identity;
}

// A target's labels fill what its series lack, and what they have is renamed to `exported_` then:
// each label by itself.
template <class RowT>
void RowTable<RowT>::ReadPod(prom::LabelSet labels, Identity& identity) {
  const auto text = [&](Text which) -> std::string_view& {
    return identity.texts[static_cast<std::size_t>(which)];
  };
  const bool plain = text(Text::kPod).empty() && around_.own_pods.IsWorkload(labels);
  if (plain) text(Text::kPod) = prom::Get(labels, "pod");
  if (text(Text::kPod).empty()) {
    if (prom::Get(labels, "pod").empty() || around_.own_pods.IsOwn(labels)) return;
    identity.pod_untold = around_.own_pods.added() ? models::NullReason::kNotExported
                                                   : models::NullReason::kQueryFailed;
    if (around_.own_pods.IsNew(labels)) {
      new_jobs_.emplace(prom::Get(labels, "job"));
      counts_.new_jobs = new_jobs_.size();
    }
    if (around_.own_pods.IsMissing(labels)) {
      unknown_.insert(Contest::TargetOf(labels));
      counts_.unknown_pods = unknown_.size();
    }
    return;
  }
  for (const auto& [which, label] :
       {std::pair(Text::kNamespace, "namespace"), std::pair(Text::kContainer, "container")}) {
    // With honorLabels a container that its series do not name is the exporter's.
    const bool own = plain ? which == Text::kContainer && around_.own_pods.IsOwnContainer(labels)
                           : !around_.own_pods.Lacks(labels, label);
    if (text(which).empty() && !own) text(which) = prom::Get(labels, label);
  }
}

template <class RowT>
auto RowTable<RowT>::KeyOf(const Identity& identity, prom::LabelSet labels) -> std::optional<Key> {
  Key key{identity.text(Text::kNode), identity.text(Text::kUuid),
          identity.text(Text::kMigGpuInstance), identity.text(Text::kMigComputeInstance)};
  key.by_uuid = !key.device.empty();
  if (!key.by_uuid) key.device = identity.text(Text::kGpuId);
  if (!key.by_uuid && key.node.empty()) key.host = Addresses::HostOf(prom::Get(labels, "instance"));
  if (key.device.empty()) {
    ++counts_.no_gpu_label;
    return std::nullopt;
  }
  if constexpr (kIsProcess) {
    const auto pid = ParsePid(identity.pid);
    if (!pid) {
      ++counts_.bad_pid;
      return std::nullopt;
    }
    key.pid = *pid;
  }
  return key;
}

template <class RowT>
std::size_t RowTable<RowT>::HashOf(const Key& key) {
  const std::hash<std::string_view> hash;
  const std::size_t more =
      key.instance.empty() ? 0 : Mix(Mix(hash(key.instance)) + hash(key.compute_instance));
  return Mix(Mix(hash(key.node.empty() ? key.host : key.node)) + hash(key.device)) + more +
         Mix(static_cast<std::size_t>(key.pid));
}

template <class RowT>
bool RowTable<RowT>::IsRow(std::uint32_t row, const Key& key, std::string_view device) const {
  return rows_[row].pid == key.pid && SameText(device, key.device) &&
         SameText(rows_[row].text(Text::kNode), key.node) && hosts_[row] == key.host &&
         SameText(rows_[row].text(Text::kMigGpuInstance), key.instance) &&
         SameText(rows_[row].text(Text::kMigComputeInstance), key.compute_instance);
}

// One UUID may be written in several ways: as its first series did, and as it should be.
template <class RowT>
std::uint32_t RowTable<RowT>::FindRow(const Key& key, std::size_t hash) {
  const std::uint32_t found =
      index_.Find(hash, [&](std::uint32_t row) { return IsRow(row, key, devices_[row]); });
  if (found != kNone || !key.by_uuid) return found;
  Key plain = key;
  const auto rewritten = RewriteUuid(key.device, exporter_.vendor);
  if (rewritten) plain.device = *rewritten;
  return index_.Find(rewritten ? HashOf(plain) : hash,
                     [&](std::uint32_t row) { return IsRow(row, plain, UuidOf(rows_[row])); });
}

template <class RowT>
bool RowTable<RowT>::RepeatsNextRow(prom::LabelSet labels) {
  // kNone + 1 is the first row.
  const std::uint32_t next = last_row_ + 1;
  if (next >= rows_.size()) return false;
  std::string_view pid;
  if (!labels_.Repeats(labels, rows_[next].texts, pid)) return false;
  // Then the address that was scraped tells, or may tell, whose they are.
  if (rows_[next].text(Text::kNode).empty() &&
      (!around_.addresses.empty() || targets_.has_nodes() ||
       rows_[next].text(Text::kUuid).empty())) {
    return false;
  }
  if (kIsProcess && ParsePid(pid) != rows_[next].pid) return false;
  if (exporter_.pod_may_be_exporters) {
    const std::string_view pod = prom::Get(labels, "pod");
    const bool told_alike = around_.own_pods.empty() &&  // whatever its target
                            rows_[next].pod_untold != models::NullReason::kNone;
    if (!pod.empty() && pod != rows_[next].text(Text::kPod) && !told_alike) return false;
  }
  last_row_ = next;
  return true;
}

template <class RowT>
std::uint32_t RowTable<RowT>::RowOf(prom::LabelSet labels) {
  if (RepeatsNextRow(labels)) return last_row_;
  const Identity identity = Read(labels);
  const auto key = KeyOf(identity, labels);
  if (!key) return kNone;
  const std::size_t hash = HashOf(*key);
  const std::uint32_t found = FindRow(*key, hash);
  last_row_ = found == kNone ? AddRow(*key, identity, hash) : found;
  MergeTexts(last_row_, identity);
  return last_row_;
}

template <class RowT>
std::uint32_t RowTable<RowT>::Find(prom::LabelSet labels) {
  const JoinCounts before = counts_;
  const auto key = KeyOf(Read(labels), labels);
  counts_ = before;
  if (!key) return kNone;
  return FindRow(*key, HashOf(*key));
}

template <class RowT>
Workload* RowTable<RowT>::WorkloadOf(std::uint32_t row, prom::LabelSet labels) {
  const Identity identity = Read(labels);
  return kIsProcess || identity.text(Text::kPod).empty() ? nullptr : &Hold(row, identity);
}

template <class RowT>
void RowTable<RowT>::EndVector(const prom::InstantVector& vector) {
  for (std::size_t i = 0; !claims_.empty() && i < read_.size(); ++i) {
    if (read_[i] == kNone || !claims_.IsOpen(read_[i])) continue;
    const prom::LabelSet labels = vector.labels(i);
    if (Find(labels) != read_[i])
      continue;  // it names no row: this is the one of the sample before
    claims_.Hear(read_[i], rows_[read_[i]], Read(labels), Contest::TargetOf(labels));
  }
  read_.clear();
  rows_before_ = rows_.size();
}

template <class RowT>
void RowTable<RowT>::Timed(std::uint32_t row, prom::LabelSet labels, double at) {
  if (!claims_.IsOpen(row)) return;
  claims_.Hear(row, rows_[row], Read(labels), Contest::TargetOf(labels), at);
}

template <class RowT>
void RowTable<RowT>::SetGpuId(std::uint32_t row, std::string_view id) {
  RowT& its = rows_[row];
  const std::string_view known = its.text(Text::kGpuId);
  if (!known.empty() && known <= id) return;
  its.set_text(Text::kGpuId, arena_.Keep(id));
  its.gpu_index = ParseGpuIndex(its.text(Text::kGpuId));
}

template <class RowT>
std::uint32_t RowTable<RowT>::AddRow(const Key& key, const Identity& identity, std::size_t hash) {
  const auto at = static_cast<std::uint32_t>(rows_.size());
  const bool same_node = at > 0 && SameText(rows_[at - 1].text(Text::kNode), key.node);
  RowT& row = rows_.emplace_back();
  row.set_text(Text::kNode, same_node ? rows_[at - 1].text(Text::kNode) : arena_.Keep(key.node));
  row.set_text(Text::kGpuId, arena_.Keep(identity.text(Text::kGpuId)));
  row.set_text(Text::kSource, exporter_.name);
  if (!kIsProcess) row.set_text(Text::kVendor, exporter_.vendor);
  row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
  row.pid = key.pid;
  if (key.by_uuid) {
    const std::string_view uuid = KeepUuid(key.device, exporter_.vendor, arena_);
    devices_.push_back(SameText(uuid, key.device) ? uuid : arena_.Keep(key.device));
    // Of a MIG instance: the GPU's own is not told.
    const bool of_instance = !kIsProcess && uuid.substr(0, 4) == "MIG-";
    row.set_text(of_instance ? Text::kMigUuid : Text::kUuid, uuid);
  } else {
    devices_.push_back(row.text(Text::kGpuId));
  }
  hosts_.push_back(arena_.Keep(key.host));
  row.set_text(Text::kMigGpuInstance, arena_.Keep(key.instance));
  row.set_text(Text::kMigComputeInstance, arena_.Keep(key.compute_instance));
  names_compute_instances_ |= !key.compute_instance.empty();
  workloads_.AddRow();
  index_.Insert(hash, at);
  if (const auto uuid = UuidOf(row); key.by_uuid && !SameText(uuid, key.device)) {
    Key plain = key;
    plain.device = uuid;
    index_.Insert(HashOf(plain), at);
  }
  return at;
}

// Of a vector before this one, whose series cannot be heard again.
template <class RowT>
void RowTable<RowT>::MeetEarlier(std::uint32_t at, const Identity& identity) {
  const RowT& row = rows_[at];
  for (std::size_t slot = 0; slot < row.texts.size(); ++slot) {
    if (!TextClaims<RowT>::Disagree(slot, row.texts[slot], identity.texts[slot])) continue;
    if (!claims_.IsOpen(at)) claims_.Open(at, &row);
    return;
  }
}

template <class RowT>
void RowTable<RowT>::MergeTexts(std::uint32_t at, const Identity& identity) {
  RowT& row = rows_[at];
  if (at < rows_before_) MeetEarlier(at, identity);
  if (identity.pod_untold != models::NullReason::kNone) row.pod_untold = identity.pod_untold;
  for (std::size_t slot = 0; slot < row.texts.size(); ++slot) {
    const auto which = static_cast<Text>(slot);
    const std::string_view text = identity.texts[slot];
    std::string_view& kept = row.texts[slot];
    if (text.empty() || SameText(text, kept)) continue;
    if (which == Text::kNode || which == Text::kUuid || which == Text::kSource) continue;
    const bool of_workload =
        which == Text::kNamespace || which == Text::kPod || which == Text::kContainer;
    if (!kIsProcess && of_workload) continue;  // they stand together: Hold
    if (TextClaims<RowT>::Disagree(slot, kept, text) && !claims_.IsOpen(at)) {
      claims_.Open(at, nullptr);
    }
    if (!kept.empty() && kept < text) continue;
    if (which == Text::kMigUuid) {
      kept = KeepUuid(text, exporter_.vendor, arena_);
      continue;
    }
    const bool as_before = at > 0 && SameText(rows_[at - 1].texts[slot], text);
    kept = as_before ? rows_[at - 1].texts[slot] : arena_.Keep(text);
    if (which == Text::kGpuId) row.gpu_index = ParseGpuIndex(kept);
  }
  if (!kIsProcess && !identity.text(Text::kPod).empty()) Hold(at, identity);
}

template <class RowT>
Workload& RowTable<RowT>::Hold(std::uint32_t row, const Identity& identity) {
  const bool first = !workloads_.IsHeld(row);
  Workload& workload = workloads_.Hold(row, identity.text(Text::kNamespace),
                                       identity.text(Text::kPod), identity.text(Text::kContainer));
  if (first) {
    // Series of one pod are recognised by the texts in the row.
    rows_[row].set_text(Text::kNamespace, workload.name_space);
    rows_[row].set_text(Text::kPod, workload.pod);
    rows_[row].set_text(Text::kContainer, workload.container);
  }
  return workload;
}

template class RowTable<models::GpuMetrics>;
template class RowTable<models::GpuProcess>;

}  // namespace gpumon::gpu
