#include "internal/gpu/exporter_rows.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "internal/gpu/bounds.h"
#include "internal/gpu/conditions.h"
#include "internal/gpu/failed_targets.h"

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Workload;

constexpr std::uint32_t kContended = 0xFFFFFFFF;  // an owner that is in the contest

template <class RowT>
constexpr models::Part kPartOf =
    std::is_same_v<RowT, models::GpuProcess> ? models::Part::kProcesses : models::Part::kGpus;

template <class RowT>
const std::vector<schema::Metric>& MetricsOf(const schema::Exporter& exporter) {
  return exporter.metrics(kPartOf<RowT> == models::Part::kProcesses);
}

bool IsExtreme(const schema::Metric& metric) {
  return metric.reduce == schema::Reduce::kMax || metric.reduce == schema::Reduce::kMin;
}

// Parts may be possible, and their sum not.
template <class RowT>
bool IsBeyond(const schema::Metric& metric, const Reading& reading) {
  return metric.reduce == schema::Reduce::kSum && reading.reason == NullReason::kNone &&
         !IsPossible<RowT>(metric.slot, reading.value);
}

// Tells series apart.
std::size_t KeyOf(const std::string& labels_in_order) {
  return std::hash<std::string>{}(labels_in_order);
}

}  // namespace

template <class RowT>
ExporterRows<RowT>::ExporterRows(const schema::Exporter& exporter, const Surroundings& around,
                                 UnitEvidence& evidence, models::Arena& arena)
    : exporter_(exporter),
      table_(exporter, around, arena, counts_),
      values_(exporter, kPartOf<RowT>, evidence),
      names_(exporter, kPartOf<RowT>),
      leaders_(LeadersOf(MetricsOf<RowT>(exporter))),
      owners_(MetricsOf<RowT>(exporter).size()),
      around_(around) {}

template <class RowT>
std::uint32_t ExporterRows<RowT>::RowOf(prom::LabelSet labels) {
  const std::uint32_t row = table_.RowOf(labels);
  if (shown_.size() < size() * kSlots) shown_.resize(size() * kSlots, kNoMetric);
  return row;
}

// Costs a refresh the look at a null pointer.
template <class RowT>
void ExporterRows<RowT>::Tell(FamilyUse use, std::uint32_t row, prom::LabelSet labels, double raw,
                              const Reading& reading) {
  if constexpr (!kIsProcess) {
    if (recorder_ == nullptr || row == RowTable<RowT>::kNone) return;
    const std::size_t leader = use.as == FamilyUse::As::kMetric ? leaders_[use.index] : use.index;
    recorder_->Saw(
        {exporter_, use, leader, row, table_.rows()[row], labels, raw, reading, around_.own_pods});
  }
}

// All of a vector's success families are read before its values.
template <class RowT>
void ExporterRows<RowT>::FindFailed(const prom::InstantVector& vector) {
  for (auto& [target, name] : FailedTargets(exporter_, names_, vector)) {
    failed_.insert(target);
    says_failed_.emplace(target, std::move(name));
  }
}

template <class RowT>
void ExporterRows<RowT>::Reserve(std::size_t rows) {
  table_.Reserve(rows);
  shown_.reserve(rows * kSlots);
}

template <class RowT>
void ExporterRows<RowT>::Add(const prom::InstantVector& vector, std::optional<std::size_t> metric) {
  counts_.mixed_units += values_.LearnUnits(vector, metric, around_.at);
  if (!metric) FindFailed(vector);
  for (auto& owners : owners_) owners.clear();
  table_.Learn(vector);
  table_.BeginFamily();
  if (size() == 0) {
    const std::size_t rows =
        vector.size() / (metric ? 1 : std::max<std::size_t>(owners_.size(), 1));
    Reserve(rows);
  }
  std::string_view name;
  std::span<const FamilyUse> uses;
  for (std::size_t i = 0; i < vector.size(); ++i, table_.EndSample()) {
    if (metric) {
      Measure(vector, i, *metric);
      continue;
    }
    if (const std::string_view its = prom::Get(vector.labels(i), "__name__");
        !SameText(its, name)) {
      name = its;
      uses = names_.Find(name);
      table_.BeginFamily();
    }
    if (uses.size() == 1) {
      Use(uses.front(), vector, i);
      continue;
    }
    // What is dropped is one sample, however many uses its family has.
    const JoinCounts before = counts_;
    for (const FamilyUse& use : uses) Use(use, vector, i);
    counts_.CountOnce(before);
  }
  table_.EndVector(vector);
}

template <class RowT>
void ExporterRows<RowT>::Use(const FamilyUse& use, const prom::InstantVector& vector,
                             std::size_t sample) {
  const prom::LabelSet labels = vector.labels(sample);
  const double value = vector.point(sample).value;
  switch (use.as) {
    case FamilyUse::As::kMetric:
      return Measure(vector, sample, use.index);
    case FamilyUse::As::kShare:
      return AddShare(use, labels, value);
    case FamilyUse::As::kInfo:
      return Tell(use, RowOf(labels), labels, value);
    case FamilyUse::As::kGpuId: {
      const std::uint32_t row = RowOf(labels);
      const bool whole = value >= 0 && value < 1e6 && value == std::floor(value);
      if (row != RowTable<RowT>::kNone && whole) {
        table_.SetGpuId(row, std::to_string(static_cast<int>(value)));
      }
      return Tell(use, row, labels, value);
    }
    case FamilyUse::As::kMigMode: {
      const std::uint32_t row = RowOf(labels);
      if (row != RowTable<RowT>::kNone) table_.rows()[row].divided |= value == 1;
      return Tell(use, row, labels, value);
    }
    case FamilyUse::As::kSuccess:
      return;  // FindFailed
  }
}

template <class RowT>
void ExporterRows<RowT>::AddShare(const FamilyUse& use, prom::LabelSet labels, double raw) {
  const schema::ShareMetric& share = exporter_.shares[use.index];
  const std::uint32_t row = RowOf(labels);
  if (row == RowTable<RowT>::kNone || !AllHold(share.where, labels)) return;
  Workload* const workload = table_.WorkloadOf(row, labels);
  if (workload == nullptr) return;
  const Reading reading =
      HasFailed(labels) ? Reading{0, NullReason::kStale} : values_.ReadShare(share, raw, labels);
  Tell(use, row, labels, raw, reading);
  counts_.bad_value += reading.reason == NullReason::kInvalidValue ? 1U : 0U;
  counts_.blank += reading.reason == NullReason::kNotSupported ? 1U : 0U;
  const auto family = std::hash<std::string_view>{}(prom::Get(labels, "__name__"));
  pod_parts_.Enter({row, &share, *workload, family, Contest::PartOf(share.parts, labels),
                    Contest::TargetOf(labels), KeyOf(Contest::InLabelOrder(labels)), reading});
}

template <class RowT>
Reading ExporterRows<RowT>::Read(const schema::Metric& metric, const prom::InstantVector& vector,
                                 std::size_t sample) const {
  const prom::LabelSet labels = vector.labels(sample);
  if (HasFailed(labels)) return {0, NullReason::kStale};
  return values_.Read(metric, vector.point(sample).value, labels);
}

template <class RowT>
void ExporterRows<RowT>::Measure(const prom::InstantVector& vector, std::size_t sample,
                                 std::size_t metric) {
  const schema::Metric& of = MetricsOf<RowT>(exporter_)[metric];
  const prom::LabelSet labels = vector.labels(sample);
  if (!of.where.empty() && !AllHold(of.where, labels)) {
    if (recorder_ == nullptr) return;
    return unfit_.Add({FamilyUse::As::kMetric, metric}, labels, vector.point(sample).value);
  }
  const std::uint32_t row = RowOf(labels);
  if (row == RowTable<RowT>::kNone) return nameless_.Add(table_.PlaceOf(labels), of.slot);
  row_times_.Saw(row, labels, of.slot);
  const Reading reading = Read(of, vector, sample);
  Tell({FamilyUse::As::kMetric, metric}, row, labels, vector.point(sample).value, reading);
  counts_.bad_value += reading.reason == NullReason::kInvalidValue && !IsExtreme(of) ? 1U : 0U;
  counts_.blank += reading.reason == NullReason::kNotSupported ? 1U : 0U;
  metric = leaders_[metric];
  const bool possible = reading.reason == NullReason::kNone;
  auto& readings = table_.rows()[row].readings;
  std::uint8_t& shown = shown_[row * kSlots + of.slot];
  if (of.rule == schema::Rule::kFlag) return SetFlag(row, metric, reading);
  auto& owners = owners_[metric];
  if (owners.size() <= row) {
    owners.resize(std::max<std::size_t>(table_.rows().capacity(), row + 1), 0);
  }
  if (owners[row] != 0) return Repeated(vector, sample, row, metric, reading);
  owners[row] = static_cast<std::uint32_t>(sample + 1);
  if (shown != kNoMetric && readings.Has(of.slot) && (!possible || shown < metric)) return;
  if (shown != kNoMetric && !readings.Has(of.slot) && !possible && shown < metric) return;
  shown = static_cast<std::uint8_t>(metric);
  if (possible) {
    readings.Set(of.slot, reading.value);
  } else {
    readings.SetAbsent(of.slot, reading.reason);
  }
}

// Several metrics, each with a bit, are one mask.
template <class RowT>
void ExporterRows<RowT>::SetFlag(std::uint32_t row, std::size_t metric, const Reading& reading) {
  const std::size_t slot = MetricsOf<RowT>(exporter_)[metric].slot;
  auto& readings = table_.rows()[row].readings;
  std::uint8_t& shown = shown_[row * kSlots + slot];
  flags_.Hear(row, slot, MetricsOf<RowT>(exporter_)[metric].bit, reading.reason);
  if (reading.reason != NullReason::kNone) return;
  const bool first = !readings.Has(slot);
  const auto bits = first ? 0U : static_cast<std::uint32_t>(*readings.Get(slot));
  readings.Set(slot, bits | static_cast<std::uint32_t>(reading.value));
  shown = first ? static_cast<std::uint8_t>(metric)
                : std::min(shown, static_cast<std::uint8_t>(metric));
}

// A second series for one metric of one row.
template <class RowT>
void ExporterRows<RowT>::Repeated(const prom::InstantVector& vector, std::size_t sample,
                                  std::uint32_t row, std::size_t metric, const Reading& reading) {
  const schema::Metric& of = MetricsOf<RowT>(exporter_)[metric];
  // The first one becomes a contender only now: mostly there is no second.
  const std::uint32_t owner = std::exchange(owners_[metric][row], kContended);
  if (owner != kContended) {
    Contend(vector, owner - 1, row, metric, Read(of, vector, owner - 1));
  }
  Contend(vector, sample, row, metric, reading);
}

template <class RowT>
void ExporterRows<RowT>::Contend(const prom::InstantVector& vector, std::size_t sample,
                                 std::uint32_t row, std::size_t metric, const Reading& reading) {
  const prom::LabelSet labels = vector.labels(sample);
  const Workload* const workload = table_.WorkloadOf(row, labels);
  const schema::Metric& of = MetricsOf<RowT>(exporter_)[metric];
  const std::size_t part =
      of.reduce == schema::Reduce::kSum ? Contest::PartOf(of.parts, labels) : 0;
  contest_.Enter({row, static_cast<std::uint8_t>(metric), reading, Contest::TargetOf(labels),
                  Contest::InLabelOrder(labels), workload != nullptr ? *workload : Workload{},
                  part});
}

template <class RowT>
void ExporterRows<RowT>::AddTargetTimes(const prom::InstantVector& times) {
  row_times_.SetAsOf(around_.at);
  counts_.bad_value += row_times_.AddTargetTimes(times);
}

template <class RowT>
void ExporterRows<RowT>::TakeTimes() {
  for (const auto& vector : times_) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const double at = vector.point(i).value;
      const prom::LabelSet labels = vector.labels(i);
      const std::string_view name = prom::Get(labels, "__series__");
      if (!name.empty() && names_.Find(name).empty()) continue;  // of the other part
      const std::uint32_t row = table_.Find(labels);
      if (row == RowTable<RowT>::kNone) continue;
      std::size_t series = 0;
      if (!contest_.empty() || !pod_parts_.empty()) {
        std::string order = Contest::InLabelOrder(Contest::AsValued(labels));
        series = KeyOf(order);
        if (!pod_parts_.empty()) series_times_.emplace(series, at);
        contest_.AddTime(std::move(order), at);
      }
      table_.Timed(row, labels, at);
      // Texts are not made old by it, and make no row young.
      if (names_.IsInfo(name)) continue;
      const bool possible = row_times_.AddSeriesTime(row, Contest::TargetOf(labels), series, at);
      counts_.bad_value += possible ? 0U : 1U;
      if constexpr (!kIsProcess) {
        if (possible && recorder_ != nullptr) {
          recorder_->Timed(exporter_, row, table_.rows()[row], labels, at);
        }
      }
    }
  }
  times_.clear();
  if (!contest_.empty() || !pod_parts_.empty()) row_times_.Gather();
}

// Beside a possible one nobody misses the zero of a part that measures nothing.
template <class RowT>
void ExporterRows<RowT>::CountExtremes(std::uint32_t row) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const std::uint8_t shown = metric(row, slot);
    if (shown == kNoMetric || !IsExtreme(MetricsOf<RowT>(exporter_)[shown])) continue;
    const NullReason reason = table_.rows()[row].readings.reason(slot);
    counts_.bad_value += reason == NullReason::kInvalidValue ? 1U : 0U;
  }
}

// After the contest: what lost is no part of the row.
template <class RowT>
void ExporterRows<RowT>::ApplyTimes() {
  row_times_.Gather();
  for (std::uint32_t i = 0; i < size(); ++i) {
    CountExtremes(i);
    const RowTimes::Span span = row_times_.Of(i);
    RowT& its = table_.rows()[i];
    its.newest = span.newest;
    its.oldest = span.oldest;
    its.bad_time = span.bad;
    nameless_.Tell(table_.PlaceOf(i), its);
  }
}

template <class RowT>
void ExporterRows<RowT>::SettleContest() {
  for (const Contest::Ranking& ranking : contest_.Decide(row_times_)) {
    const Contest::Contender& best = *ranking.front();
    if (recorder_ != nullptr) recorder_->Ranked(exporter_, ranking);
    const schema::Metric& metric = MetricsOf<RowT>(exporter_)[best.metric];
    auto& readings = table_.rows()[best.row].readings;
    std::uint8_t& shown = shown_[best.row * kSlots + metric.slot];
    const bool has = readings.Has(metric.slot);
    Contest::Verdict verdict = Contest::Judge(metric, ranking);
    if (IsBeyond<RowT>(metric, verdict.reading)) {
      verdict.reading.reason = NullReason::kInvalidValue;
      ++counts_.bad_value;
    }
    const bool possible = verdict.reading.reason == NullReason::kNone;
    counts_.duplicates += verdict.doubles;
    const std::vector<bool> left = claims_.Hear(ranking);
    for (const auto* one : verdict.losers) {
      row_times_.Lost(one->row, one->target);
      row_times_.LostSeries(KeyOf(one->labels));
    }
    if (shown < best.metric && (has || !possible)) continue;
    if (shown > best.metric && has && !possible) continue;
    shown = best.metric;
    if (possible) {
      readings.Set(metric.slot, verdict.reading.value);
    } else {
      readings.SetAbsent(metric.slot, verdict.reading.reason);
    }
    // Without a series of the device those of pods repeat its value.
    const bool shares = metric.reduce == schema::Reduce::kNewest && best.workload.pod.empty();
    if (possible && shares && !kIsProcess && HasParts(exporter_, metric)) {
      SharePods(ranking, left, metric.slot, table_.workloads());
    }
  }
  contest_ = {};
}

template <class RowT>
std::set<std::string> ExporterRows<RowT>::new_jobs() const {
  std::set<std::string> jobs = table_.new_jobs();
  row_times_.ForEachTarget([&](std::size_t, const std::string& job) {
    if (!job.empty() && around_.own_pods.IsNew(job)) jobs.insert(job);
  });
  return jobs;
}

template <class RowT>
void ExporterRows<RowT>::Settle(const DownTargets& down) {
  unfit_.ForEach([&](FamilyUse use, prom::LabelSet labels, double raw) {
    Tell(use, table_.Find(labels), labels, raw, {0, NullReason::kNotExported});
  });
  flags_.ForEachUnknown([&](std::uint32_t row, std::size_t slot, NullReason reason) {
    table_.rows()[row].readings.SetAbsent(slot, reason);
  });
  row_times_.SetAsOf(around_.at);
  DropTimes(down);
  TakeTimes();
  SettleContest();
  pod_parts_.LookForDevices([&](std::uint32_t row, const schema::ShareMetric& of) {
    return ShowsDeviceOf(exporter_, shown(row), of);
  });
  pod_parts_.Settle(row_times_, series_times_, table_.workloads(), claims_, counts_);
  claims_.Settle(table_.workloads());
  ApplyTimes();
  table_.SettleTexts(row_times_);
  counts_.bad_value += table_.workloads().DropImpossible();
}

template class ExporterRows<models::GpuMetrics>;
template class ExporterRows<models::GpuProcess>;

}  // namespace gpumon::gpu
