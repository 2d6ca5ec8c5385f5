#include "internal/gpu/exporter_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "internal/gpu/identity.h"
#include "internal/gpu/mix.h"

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Text;
using models::Workload;

template <class RowT>
constexpr models::Part kPartOf =
    std::is_same_v<RowT, models::GpuProcess> ? models::Part::kProcesses : models::Part::kGpus;

template <class RowT>
const std::vector<schema::Metric>& MetricsOf(const schema::Exporter& exporter) {
  return exporter.metrics(kPartOf<RowT> == models::Part::kProcesses);
}

std::optional<std::int64_t> ParsePid(std::string_view text) {
  std::int64_t pid = 0;
  if (!IsDecimal(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc()) return std::nullopt;
  return pid;
}

std::size_t HashOf(std::string_view a, std::string_view b, std::string_view c, std::int64_t pid) {
  const std::hash<std::string_view> hash;
  const std::size_t more = c.empty() ? 0 : Mix(hash(c));
  return Mix(Mix(hash(a)) + hash(b)) + more + Mix(static_cast<std::size_t>(pid));
}

bool AllHold(const std::vector<schema::Condition>& conditions, prom::LabelSet labels) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const schema::Condition& condition) {
    return condition.Holds(prom::Get(labels, condition.label));
  });
}

template <class RowT>
void ShowWorkload(RowT& row, const Workload& workload) {
  row.set_text(Text::kNamespace, workload.name_space);
  row.set_text(Text::kPod, workload.pod);
  row.set_text(Text::kContainer, workload.container);
}

}  // namespace

template <class RowT>
ExporterRows<RowT>::ExporterRows(const schema::Exporter& exporter, UnitEvidence& evidence,
                                 models::Arena& arena)
    : exporter_(exporter),
      arena_(arena),
      labels_(exporter, std::tuple_size_v<decltype(RowT::texts)>, kIsProcess),
      values_(exporter, kPartOf<RowT>, evidence),
      names_(exporter, kPartOf<RowT>),
      owners_(MetricsOf<RowT>(exporter).size()),
      workloads_(arena) {}

template <class RowT>
auto ExporterRows<RowT>::KeyOf(const Identity& identity) -> std::optional<Key> {
  Key key{identity.text(Text::kNode), identity.text(Text::kUuid),
          identity.text(Text::kMigGpuInstance)};
  key.by_uuid = !key.device.empty();
  if (!key.by_uuid) key.device = identity.text(Text::kGpuId);
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
bool ExporterRows<RowT>::IsRow(std::uint32_t row, const Key& key) const {
  return rows_[row].pid == key.pid && SameText(devices_[row], key.device) &&
         SameText(rows_[row].text(Text::kNode), key.node) &&
         SameText(instances_[row], key.instance);
}

template <class RowT>
bool ExporterRows<RowT>::RepeatsNextRow(prom::LabelSet labels) {
  // kNone + 1 is the first row.
  const std::uint32_t next = last_row_ + 1;
  if (next >= rows_.size()) return false;
  std::string_view pid;
  if (!labels_.Repeats(labels, rows_[next].texts, pid)) return false;
  if (kIsProcess && ParsePid(pid) != rows_[next].pid) return false;
  last_row_ = next;
  return true;
}

template <class RowT>
std::uint32_t ExporterRows<RowT>::RowOf(prom::LabelSet labels) {
  if (RepeatsNextRow(labels)) return last_row_;
  const Identity identity = labels_.Read(labels);
  const auto key = KeyOf(identity);
  if (!key) return RowIndex::kNone;
  const std::size_t hash = HashOf(key->node, key->device, key->instance, key->pid);
  const std::uint32_t found =
      index_.Find(hash, [&](std::uint32_t row) { return IsRow(row, *key); });
  last_row_ = found == RowIndex::kNone ? AddRow(*key, identity, hash) : found;
  MergeTexts(last_row_, identity);
  return last_row_;
}

template <class RowT>
std::uint32_t ExporterRows<RowT>::AddRow(const Key& key, const Identity& identity,
                                         std::size_t hash) {
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
    row.set_text(Text::kUuid, KeepUuid(key.device, exporter_.vendor, arena_));
    devices_.push_back(SameText(row.text(Text::kUuid), key.device) ? row.text(Text::kUuid)
                                                                   : arena_.Keep(key.device));
  } else {
    devices_.push_back(row.text(Text::kGpuId));
  }
  row.set_text(Text::kMigGpuInstance, arena_.Keep(key.instance));
  instances_.push_back(row.text(Text::kMigGpuInstance));
  shown_.insert(shown_.end(), kSlots, kNoMetric);
  workloads_.AddRow();
  index_.Insert(hash, at);
  return at;
}

template <class RowT>
void ExporterRows<RowT>::MergeTexts(std::uint32_t at, const Identity& identity) {
  RowT& row = rows_[at];
  for (std::size_t slot = 0; slot < row.texts.size(); ++slot) {
    const auto which = static_cast<Text>(slot);
    const std::string_view text = identity.texts[slot];
    std::string_view& kept = row.texts[slot];
    if (text.empty() || SameText(text, kept)) continue;
    if (which == Text::kNode || which == Text::kUuid || which == Text::kSource) continue;
    const bool of_workload =
        which == Text::kNamespace || which == Text::kPod || which == Text::kContainer;
    if (!kIsProcess && of_workload) continue;  // they stand together: Hold
    if (!kept.empty() && kept < text) continue;
    const bool as_before = at > 0 && SameText(rows_[at - 1].texts[slot], text);
    kept = as_before ? rows_[at - 1].texts[slot] : arena_.Keep(text);
    if (which == Text::kGpuId) row.gpu_index = ParseGpuIndex(kept);
  }
  if (!kIsProcess && !identity.text(Text::kPod).empty()) Hold(at, identity);
}

template <class RowT>
Workload& ExporterRows<RowT>::Hold(std::uint32_t row, const Identity& identity) {
  const bool first = !workloads_.IsHeld(row);
  Workload& workload = workloads_.Hold(row, identity.text(Text::kNamespace),
                                       identity.text(Text::kPod), identity.text(Text::kContainer));
  // The first one's texts stand in the row: series of one pod are recognised by them.
  if (first) ShowWorkload(rows_[row], workload);
  return workload;
}

template <class RowT>
void ExporterRows<RowT>::Add(const prom::InstantVector& vector, std::optional<std::size_t> metric) {
  values_.LearnUnits(vector, metric);
  for (auto& owners : owners_) owners.clear();
  last_row_ = RowIndex::kNone;
  if (rows_.empty()) {
    const std::size_t rows =
        vector.size() / (metric ? 1 : std::max<std::size_t>(owners_.size(), 1));
    rows_.reserve(rows);
    shown_.reserve(rows * kSlots);
    index_.Reserve(rows);
  }
  std::string_view name;
  std::span<const FamilyUse> uses;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    ++samples_;
    if (metric) {
      Measure(vector, i, *metric);
      continue;
    }
    const prom::LabelSet labels = vector.labels(i);
    if (const std::string_view its = prom::Get(labels, "__name__"); !SameText(its, name)) {
      name = its;
      uses = names_.Find(name);
      last_row_ = RowIndex::kNone;  // the next family's series begin anew
    }
    for (const FamilyUse& use : uses) {
      if (use.as == FamilyUse::As::kMetric) {
        Measure(vector, i, use.index);
      } else if (use.as == FamilyUse::As::kInfo) {
        RowOf(labels);
      } else if (use.as == FamilyUse::As::kShare) {
        const std::uint32_t row = RowOf(labels);
        if (row != RowIndex::kNone) {
          AddShare(exporter_.shares[use.index], row, labels, vector.point(i).value);
        }
      }
    }
  }
}

template <class RowT>
void ExporterRows<RowT>::AddShare(const schema::ShareMetric& share, std::uint32_t row,
                                  prom::LabelSet labels, double raw) {
  if (!AllHold(share.where, labels) || !std::isfinite(raw) || raw < 0) return;
  const Identity identity = labels_.Read(labels);
  if (identity.text(Text::kPod).empty()) return;
  Workload& workload = Hold(row, identity);
  const double value = raw * share.scale;
  // Several slices of one GPU in one container are one share.
  const auto add = [value](double& sum) { sum = std::isnan(sum) ? value : sum + value; };
  if (share.share == schema::Share::kMemoryUsed) add(workload.memory_used);
  if (share.share == schema::Share::kMemoryLimit) add(workload.memory_limit);
  if (share.share == schema::Share::kUtilization) add(workload.utilization);
}

template <class RowT>
void ExporterRows<RowT>::Measure(const prom::InstantVector& vector, std::size_t sample,
                                 std::size_t metric) {
  const schema::Metric& of = MetricsOf<RowT>(exporter_)[metric];
  const prom::LabelSet labels = vector.labels(sample);
  if (!of.where.empty() && !AllHold(of.where, labels)) return;
  const std::uint32_t row = RowOf(labels);
  if (row == RowIndex::kNone) return;
  const Reading reading = values_.Read(of, vector.point(sample).value, labels);
  auto& owners = owners_[metric];
  if (owners.size() <= row) owners.resize(std::max<std::size_t>(rows_.capacity(), row + 1), 0);
  if (owners[row] != 0) return Repeated(vector, sample, row, metric, reading);
  owners[row] = static_cast<std::uint32_t>(sample + 1);

  auto& readings = rows_[row].readings;
  std::uint8_t& shown = shown_[row * kSlots + of.slot];
  const bool possible = reading.reason == NullReason::kNone;
  if (of.rule == schema::Rule::kFlag && readings.Has(of.slot) && possible) {
    const auto bits = static_cast<std::uint32_t>(*readings.Get(of.slot));
    readings.Set(of.slot, bits | static_cast<std::uint32_t>(reading.value));
    shown = std::min(shown, static_cast<std::uint8_t>(metric));
    return;
  }
  if (shown != kNoMetric && readings.Has(of.slot) && (!possible || shown < metric)) return;
  if (shown != kNoMetric && !readings.Has(of.slot) && !possible && shown < metric) return;
  shown = static_cast<std::uint8_t>(metric);
  if (possible) {
    readings.Set(of.slot, reading.value);
  } else {
    readings.SetAbsent(of.slot, reading.reason);
  }
}

// A second series for one metric of one row.
template <class RowT>
void ExporterRows<RowT>::Repeated(const prom::InstantVector& vector, std::size_t sample,
                                  std::uint32_t row, std::size_t metric, const Reading& reading) {
  const schema::Metric& of = MetricsOf<RowT>(exporter_)[metric];
  auto& readings = rows_[row].readings;
  std::uint8_t& shown = shown_[row * kSlots + of.slot];
  if (of.reduce == schema::Reduce::kNewest) ++counts_.duplicates;
  if (reading.reason != NullReason::kNone || (shown < metric && readings.Has(of.slot))) return;
  const bool first = shown != metric || !readings.Has(of.slot);
  if (!first && of.reduce == schema::Reduce::kMax) {
    return readings.Set(of.slot, std::max(*readings.Get(of.slot), reading.value));
  }
  if (!first && of.reduce == schema::Reduce::kMin) {
    return readings.Set(of.slot, std::min(*readings.Get(of.slot), reading.value));
  }
  if (!first) {
    // The first one becomes a contender only now: mostly there is no second.
    const std::uint32_t owner = std::exchange(owners_[metric][row], 0xFFFFFFFF);
    if (owner != 0xFFFFFFFF) {
      Contend(vector, owner - 1, row, metric, *readings.Get(of.slot));
    }
    Contend(vector, sample, row, metric, reading.value);
    return;
  }
  owners_[metric][row] = static_cast<std::uint32_t>(sample + 1);
  shown = static_cast<std::uint8_t>(metric);
  readings.Set(of.slot, reading.value);
}

template <class RowT>
void ExporterRows<RowT>::Contend(const prom::InstantVector& vector, std::size_t sample,
                                 std::uint32_t row, std::size_t metric, double value) {
  const prom::LabelSet labels = vector.labels(sample);
  const Identity identity = labels_.Read(labels);
  Workload workload;
  if (!kIsProcess && !identity.text(Text::kPod).empty()) workload = Hold(row, identity);
  contest_.Enter({row, static_cast<std::uint8_t>(metric), value, Contest::TargetOf(labels),
                  Contest::InLabelOrder(labels), workload});
}

template <class RowT>
void ExporterRows<RowT>::AddTimes(prom::InstantVector times) {
  times_.push_back(std::move(times));
}

template <class RowT>
void ExporterRows<RowT>::ApplyTimes() {
  const JoinCounts before = counts_;
  const std::size_t known = rows_.size();
  for (const auto& vector : times_) {
    last_row_ = RowIndex::kNone;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const double at = vector.point(i).value;
      if (!std::isfinite(at)) continue;
      const prom::LabelSet labels = vector.labels(i);
      const auto key = KeyOf(labels_.Read(labels));
      if (!key) continue;
      const std::size_t hash = HashOf(key->node, key->device, key->instance, key->pid);
      const std::uint32_t found =
          index_.Find(hash, [&](std::uint32_t row) { return IsRow(row, *key); });
      if (found == RowIndex::kNone || found >= known) continue;
      RowT& row = rows_[found];
      if (!(row.newest >= at)) row.newest = at;
      if (!(row.oldest <= at)) row.oldest = at;
      if (!contest_.empty()) contest_.AddTime(found, Contest::TargetOf(labels), at);
    }
  }
  counts_ = before;  // the same labels were counted with the values
  times_.clear();
}

template <class RowT>
void ExporterRows<RowT>::SettleContest() {
  for (const Contest::Ranking& ranking : contest_.Decide()) {
    const Contest::Contender& best = *ranking.front();
    const schema::Metric& metric = MetricsOf<RowT>(exporter_)[best.metric];
    if (shown_[best.row * kSlots + metric.slot] != best.metric) continue;
    auto& readings = rows_[best.row].readings;
    if (metric.reduce == schema::Reduce::kSum) {
      double sum = 0;
      for (const auto* one : ranking) sum += one->value;
      readings.Set(metric.slot, sum);
      continue;
    }
    readings.Set(metric.slot, best.value);
    if constexpr (!kIsProcess) SharePods(ranking, metric.slot);
  }
  contest_ = {};
}

// What the series of a GPU's pods say of one of its values.
template <class RowT>
void ExporterRows<RowT>::SharePods(const Contest::Ranking& ranking, std::size_t slot) {
  for (const auto* one : ranking) {
    if (one->workload.pod.empty()) continue;
    Workload& workload = workloads_.Hold(one->row, one->workload.name_space, one->workload.pod,
                                         one->workload.container);
    if (slot == static_cast<std::size_t>(models::Quantity::kUtilization)) {
      workload.utilization = one->value;
    }
    if (slot == static_cast<std::size_t>(models::Quantity::kMemoryUsed)) {
      workload.memory_used = one->value;
    }
  }
}

template <class RowT>
void ExporterRows<RowT>::Settle() {
  ApplyTimes();
  SettleContest();
}

template class ExporterRows<models::GpuMetrics>;
template class ExporterRows<models::GpuProcess>;

}  // namespace gpumon::gpu
