// What one exporter says, as rows: the first half of the join.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/down_samples.h"
#include "internal/gpu/flag_masks.h"
#include "internal/gpu/gone_samples.h"
#include "internal/gpu/join_counts.h"
#include "internal/gpu/metric_index.h"
#include "internal/gpu/nameless_samples.h"
#include "internal/gpu/own_pods.h"
#include "internal/gpu/pod_claims.h"
#include "internal/gpu/pod_parts.h"
#include "internal/gpu/recorder.h"
#include "internal/gpu/row_table.h"
#include "internal/gpu/row_times.h"
#include "internal/gpu/unfit_samples.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/gpu/value_reader.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. The result does not
// depend on the order of samples or of Add calls. Texts are kept in `arena`.
//
// Of several metrics for one field the first in the schema's order that has a possible value
// counts. Of several series of one metric: the newest sample, of one time those without a workload
// before those of pods, then the first in label order; unless the schema adds them up.
template <class RowT>
class ExporterRows {
 public:
  static constexpr std::uint8_t kNoMetric = 0xFF;

  // All must outlive it. `around` is complete before the first Add.
  ExporterRows(const schema::Exporter& exporter, const Surroundings& around, UnitEvidence& evidence,
               models::Arena& arena);

  // Takes every sample of `vector`: as values of `metric` (of exporter.gpu or .process), or of
  // what each one's name says.
  void Add(const prom::InstantVector& vector, std::optional<std::size_t> metric);
  // Sample times (Unix seconds as values) by the same identity labels; kept until Settle.
  void AddTimes(prom::InstantVector times) { times_.push_back(std::move(times)); }
  // Of targets that are down: told to who hears of samples, and no part of any row.
  void AddDown(const prom::InstantVector& vector, std::optional<std::size_t> metric) {
    if constexpr (!kIsProcess) {
      if (recorder_ == nullptr) return;
      TellGone(vector, metric, exporter_, names_, table_, around_.own_pods, *recorder_);
    }
  }
  // Sample times by scrape target, as RowTimes::AddTargetTimes.
  void AddTargetTimes(const prom::InstantVector& times);
  // Targets (Contest::TargetOf) whose values are old whatever their time. Before the first Add.
  void SetFrozen(const std::set<std::size_t>& targets) { failed_ = targets; }
  // Hears of every sample from now on; GPUs only. It must outlive this.
  void Record(JoinRecorder* recorder) { recorder_ = recorder; }
  // Call once, after the last Add: settles duplicates and times, of which none lies before 1970 or
  // a day after the instant of `around`. Times of targets that are down are nobody's.
  void Settle(const DownTargets& down);

  std::size_t size() const { return table_.rows().size(); }
  // There may be so many of them.
  void Reserve(std::size_t rows);
  RowT& row(std::size_t i) { return table_.rows()[i]; }
  const RowT& row(std::size_t i) const { return table_.rows()[i]; }
  // Once, instead of any other row().
  std::vector<RowT> TakeRows() { return std::move(table_.rows()); }
  // The metric that row `i` shows in `slot`.
  std::uint8_t metric(std::size_t i, std::size_t slot) const { return shown_[i * kSlots + slot]; }
  std::span<const std::uint8_t> shown(std::size_t i) const {
    return std::span(shown_).subspan(i * kSlots, kSlots);
  }
  // Bits by slot of the fields that row `i` has a metric of.
  std::uint64_t FieldsOf(std::size_t i) const {
    std::uint64_t fields = 0;
    const std::uint8_t* const its = &shown_[i * kSlots];
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      fields |= std::uint64_t{its[slot] != kNoMetric ? 1U : 0U} << slot;
    }
    return fields;
  }
  // The workloads of row `i`, in the order of their texts.
  std::vector<models::Workload> WorkloadsOf(std::size_t i) const {
    return table_.workloads().Of(i);
  }
  // Some row is held.
  bool TellsPods() const { return table_.workloads().AnyIsHeld(); }
  bool IsHeld(std::size_t i) const { return table_.workloads().IsHeld(i); }
  // Jobs of its series whose targets were not asked for.
  std::set<std::string> new_jobs() const;
  // Targets whose last collection failed, as they say, and their names for people.
  const std::map<std::size_t, std::string>& says_failed() const { return says_failed_; }
  // Rows without a node may stand beside others with one.
  bool has_nodes_of_targets() const { return exporter_.node_of_target; }
  // Its schema has metrics of this part.
  bool may_have_rows() const { return !exporter_.metrics(kIsProcess).empty(); }
  bool names_compute_instances() const { return table_.names_compute_instances(); }
  const JoinCounts& counts() const { return counts_; }
  const RowTimes& times() const { return row_times_; }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;
  static constexpr std::size_t kSlots =
      kIsProcess ? models::kProcessQuantities : models::kQuantities;

  std::uint32_t RowOf(prom::LabelSet labels);
  void Tell(FamilyUse use, std::uint32_t row, prom::LabelSet labels, double raw,
            const Reading& reading = {});
  void FindFailed(const prom::InstantVector& vector);
  bool HasFailed(prom::LabelSet labels) const {
    return !failed_.empty() && failed_.count(Contest::TargetOf(labels)) > 0;
  }
  Reading Read(const schema::Metric& metric, const prom::InstantVector& vector,
               std::size_t sample) const;
  void Use(const FamilyUse& use, const prom::InstantVector& vector, std::size_t sample);
  void Measure(const prom::InstantVector& vector, std::size_t sample, std::size_t metric);
  void SetFlag(std::uint32_t row, std::size_t metric, const Reading& reading);
  void Repeated(const prom::InstantVector& vector, std::size_t sample, std::uint32_t row,
                std::size_t metric, const Reading& reading);
  void Contend(const prom::InstantVector& vector, std::size_t sample, std::uint32_t row,
               std::size_t metric, const Reading& reading);
  void AddShare(const FamilyUse& use, prom::LabelSet labels, double raw);
  void DropTimes(const DownTargets& down) {
    for (prom::InstantVector& times : times_) {
      const auto sides = recorder_ == nullptr ? std::nullopt : DownSamples::Split(down, times);
      if (sides) recorder_->GoneTimed(sides->down);
      DownSamples::Drop(down, times);
    }
  }
  void TakeTimes();
  void SettleContest();
  void CountExtremes(std::uint32_t row);
  void ApplyTimes();

  const schema::Exporter& exporter_;
  JoinCounts counts_;
  RowTable<RowT> table_;
  ValueReader values_;
  const MetricIndex names_;
  std::vector<std::uint8_t> shown_;                 // row, slot -> metric
  const std::vector<std::size_t> leaders_;          // metric -> the one that it is added to
  std::vector<std::vector<std::uint32_t>> owners_;  // metric, row -> 1 + sample of this vector
  FlagMasks flags_;
  NamelessSamples nameless_;
  std::map<std::size_t, std::string> says_failed_;  // targets whose last collection did: names
  std::set<std::size_t> failed_;  // targets that are frozen, or whose last collection failed
  Contest contest_;
  PodParts pod_parts_;
  PodClaims claims_;
  std::unordered_map<std::size_t, double> series_times_;  // KeyOf, while there are parts of pods
  RowTimes row_times_;
  std::vector<prom::InstantVector> times_;
  const Surroundings& around_;
  JoinRecorder* recorder_ = nullptr;
  UnfitSamples unfit_;  // for it
};

extern template class ExporterRows<models::GpuMetrics>;
extern template class ExporterRows<models::GpuProcess>;

}  // namespace gpumon::gpu
