#include "internal/gpu/exporter_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <tuple>

#include "internal/gpu/bounds.h"
#include "internal/gpu/identity.h"

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
  return kPartOf<RowT> == models::Part::kProcesses ? exporter.process : exporter.gpu;
}

std::optional<std::int64_t> ParsePid(std::string_view text) {
  std::int64_t pid = 0;
  if (!IsDecimal(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc()) return std::nullopt;
  return pid;
}

std::size_t Mix(std::size_t x) {
  return x * 0x9E3779B97F4A7C15U ^ (x >> 29U);
}

std::size_t HashOf(std::string_view a, std::string_view b, std::string_view c, std::int64_t pid) {
  const std::hash<std::string_view> hash;
  const std::size_t more = c.empty() ? 0 : Mix(hash(c));
  return Mix(Mix(hash(a)) + hash(b)) + more + Mix(static_cast<std::size_t>(pid));
}

// Who was scraped: its job and address.
std::size_t TargetOf(prom::LabelSet labels) {
  return HashOf(prom::Get(labels, "job"), prom::Get(labels, "instance"), {}, 0);
}

// A label set as one text that sorts as label sets do.
std::string InLabelOrder(prom::LabelSet labels) {
  std::string text;
  for (const prom::Label& label : labels) {
    text.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
  }
  return text;
}

bool AllHold(const std::vector<schema::Condition>& conditions, prom::LabelSet labels) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const schema::Condition& condition) {
    return condition.Holds(prom::Get(labels, condition.label));
  });
}

auto TextsOf(const Workload& workload) {
  return std::tie(workload.name_space, workload.pod, workload.container);
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
      evidence_(evidence),
      arena_(arena),
      labels_(exporter, std::tuple_size_v<decltype(RowT::texts)>, kIsProcess),
      names_(exporter, kPartOf<RowT>),
      owners_(MetricsOf<RowT>(exporter).size()) {}

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
  first_held_.push_back(RowIndex::kNone);
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
  if (!kIsProcess && !identity.text(Text::kPod).empty()) {
    Hold(at, identity.text(Text::kNamespace), identity.text(Text::kPod),
         identity.text(Text::kContainer));
  }
}

template <class RowT>
Workload& ExporterRows<RowT>::Hold(std::uint32_t row, std::string_view name_space,
                                   std::string_view pod, std::string_view container) {
  for (std::uint32_t at = first_held_[row]; at != RowIndex::kNone; at = held_[at].next) {
    Workload& held = held_[at].workload;
    if (held.pod == pod && held.name_space == name_space && held.container == container) {
      return held;
    }
  }
  Workload workload;
  workload.name_space = arena_.Keep(name_space);
  workload.pod = arena_.Keep(pod);
  workload.container = arena_.Keep(container);
  // The first one's texts stand in the row: series of one pod are recognised by them.
  if (first_held_[row] == RowIndex::kNone) ShowWorkload(rows_[row], workload);
  held_.push_back(
      {workload, std::exchange(first_held_[row], static_cast<std::uint32_t>(held_.size()))});
  return held_.back().workload;
}

template <class RowT>
auto ExporterRows<RowT>::Read(const schema::Metric& metric, double raw, prom::LabelSet labels) const
    -> Reading {
  for (const auto& [low, high] : exporter_.blanks) {
    if (raw >= low && raw <= high) return {0, NullReason::kNotSupported};
  }
  double value = raw * metric.scale;
  if (metric.rule == schema::Rule::kFlag) {
    value = raw != 0 ? metric.bit : 0;  // NaN is checked below
    if (std::isnan(raw)) value = raw;
  }
  if (metric.rule == schema::Rule::kRatioOrPercent &&
      evidence_.IsPercent(metric.name, prom::Get(labels, "job"))) {
    value = raw * metric.scale / 100;
  }
  if (IsPossible<RowT>(metric.slot, value)) return {value, NullReason::kNone};
  return {0, NullReason::kInvalidValue};
}

template <class RowT>
void ExporterRows<RowT>::LearnUnits(const prom::InstantVector& vector,
                                    std::optional<std::size_t> metric) {
  for (const schema::Metric& doubtful : MetricsOf<RowT>(exporter_)) {
    if (doubtful.rule != schema::Rule::kRatioOrPercent) continue;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      if (vector.point(i).value <= 1 || !std::isfinite(vector.point(i).value)) continue;
      if (!metric && prom::Get(labels, "__name__") != doubtful.name) continue;
      evidence_.SawAboveOne(doubtful.name, prom::Get(labels, "job"));
    }
  }
}

template <class RowT>
void ExporterRows<RowT>::Add(const prom::InstantVector& vector, std::optional<std::size_t> metric) {
  LearnUnits(vector, metric);
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
  Workload& workload = Hold(row, identity.text(Text::kNamespace), identity.text(Text::kPod),
                            identity.text(Text::kContainer));
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
  const Reading reading = Read(of, vector.point(sample).value, labels);
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
  if (!kIsProcess && !identity.text(Text::kPod).empty()) {
    workload = Hold(row, identity.text(Text::kNamespace), identity.text(Text::kPod),
                    identity.text(Text::kContainer));
  }
  contenders_.push_back({row, static_cast<std::uint8_t>(metric), value, TargetOf(labels),
                         InLabelOrder(labels), workload});
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
      if (!contenders_.empty()) target_times_.emplace_back(Mix(found) ^ TargetOf(labels), at);
    }
  }
  std::sort(target_times_.begin(), target_times_.end());
  counts_ = before;  // the same labels were counted with the values
  times_.clear();
}

template <class RowT>
void ExporterRows<RowT>::SettleContenders() {
  const auto time_of = [&](const Contender& contender) {
    const std::size_t key = Mix(contender.row) ^ contender.target;
    const auto after = std::upper_bound(target_times_.begin(), target_times_.end(),
                                        std::pair(key, std::numeric_limits<double>::infinity()));
    const bool found = after != target_times_.begin() && std::prev(after)->first == key;
    return found ? std::prev(after)->second : -std::numeric_limits<double>::infinity();
  };
  struct Place {
    const Contender* contender;
    double time;
  };
  std::vector<Place> places;
  places.reserve(contenders_.size());
  for (const Contender& contender : contenders_) places.push_back({&contender, time_of(contender)});
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    const Contender& x = *a.contender;
    const Contender& y = *b.contender;
    // The device itself before its parts, the newest first; with equal labels the value decides.
    return std::tuple(x.row, x.metric, !x.workload.pod.empty(), -a.time, std::cref(x.labels).get(),
                      x.value) < std::tuple(y.row, y.metric, !y.workload.pod.empty(), -b.time,
                                            std::cref(y.labels).get(), y.value);
  });
  const auto& metrics = MetricsOf<RowT>(exporter_);
  for (std::size_t i = 0; i < places.size();) {
    const Contender& best = *places[i].contender;
    const schema::Metric& metric = metrics[best.metric];
    double sum = 0;
    for (; i < places.size() && places[i].contender->row == best.row &&
           places[i].contender->metric == best.metric;
         ++i) {
      const Contender& one = *places[i].contender;
      sum += one.value;
      if (kIsProcess || one.workload.pod.empty() || metric.reduce != schema::Reduce::kNewest) {
        continue;
      }
      Workload& workload =
          Hold(one.row, one.workload.name_space, one.workload.pod, one.workload.container);
      if (metric.slot == static_cast<std::size_t>(models::Quantity::kUtilization)) {
        workload.utilization = one.value;
      }
      if (metric.slot == static_cast<std::size_t>(models::Quantity::kMemoryUsed)) {
        workload.memory_used = one.value;
      }
    }
    if (shown_[best.row * kSlots + metric.slot] != best.metric) continue;
    rows_[best.row].readings.Set(metric.slot,
                                 metric.reduce == schema::Reduce::kSum ? sum : best.value);
  }
  contenders_.clear();
}

template <class RowT>
void ExporterRows<RowT>::Settle() {
  ApplyTimes();
  SettleContenders();
}

template <class RowT>
std::vector<Workload> ExporterRows<RowT>::WorkloadsOf(std::size_t i) const {
  std::vector<Workload> workloads;
  for (std::uint32_t at = first_held_[i]; at != RowIndex::kNone; at = held_[at].next) {
    workloads.push_back(held_[at].workload);
  }
  std::sort(workloads.begin(), workloads.end(),
            [](const Workload& a, const Workload& b) { return TextsOf(a) < TextsOf(b); });
  return workloads;
}

template class ExporterRows<models::GpuMetrics>;
template class ExporterRows<models::GpuProcess>;

}  // namespace gpumon::gpu
