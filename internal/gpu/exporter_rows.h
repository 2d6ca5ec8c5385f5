// What one exporter says, as rows: the first half of the join.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/contest.h"
#include "internal/gpu/held_workloads.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/metric_index.h"
#include "internal/gpu/row_index.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/gpu/value_reader.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// What was left out or doubted while joining; each becomes a warning and a counter.
struct JoinCounts {
  std::size_t no_gpu_label = 0;   // sample dropped
  std::size_t no_node_label = 0;  // rows kept with node_name null
  std::size_t bad_pid = 0;        // sample dropped
  std::size_t bad_value = 0;      // NaN, infinite or impossible: null
  std::size_t duplicates = 0;     // series beyond the first of one (metric, key)
  std::size_t undecodable = 0;    // samples whose value was no number: NaN, in bad_value too
};

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. The result does not
// depend on the order of samples or of Add calls. Texts are kept in `arena`.
//
// Of several metrics for one field the first in the schema's order that has a possible value
// counts. Of several series of one metric: those without a workload before those of pods, then the
// newest sample, then the first in label order; unless the schema adds them up.
template <class RowT>
class ExporterRows {
 public:
  static constexpr std::uint8_t kNoMetric = 0xFF;

  // `exporter`, `evidence` and `arena` must outlive it.
  ExporterRows(const schema::Exporter& exporter, UnitEvidence& evidence, models::Arena& arena);

  // Takes every sample of `vector`: as values of `metric` (of exporter.gpu or .process), or of
  // what each one's name says.
  void Add(const prom::InstantVector& vector, std::optional<std::size_t> metric);
  // Sample times (Unix seconds as values) by the same identity labels.
  void AddTimes(prom::InstantVector times);
  // Call once, after the last Add: settles duplicates and times.
  void Settle();

  const schema::Exporter& exporter() const { return exporter_; }
  std::size_t size() const { return rows_.size(); }
  RowT& row(std::size_t i) { return rows_[i]; }
  // The metric that row `i` shows in `slot`.
  std::uint8_t metric(std::size_t i, std::size_t slot) const { return shown_[i * kSlots + slot]; }
  // The workloads of row `i`, in the order of their texts.
  std::vector<models::Workload> WorkloadsOf(std::size_t i) const { return workloads_.Of(i); }
  const JoinCounts& counts() const { return counts_; }
  std::size_t samples() const { return samples_; }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;
  static constexpr std::size_t kSlots =
      kIsProcess ? models::kProcessQuantities : models::kQuantities;

  struct Key {
    std::string_view node;
    std::string_view device;  // the UUID as the exporter writes it, else the GPU's id
    std::string_view instance;
    std::int64_t pid = 0;
    bool by_uuid = false;
  };
  std::optional<Key> KeyOf(const Identity& identity);
  bool IsRow(std::uint32_t row, const Key& key) const;
  std::uint32_t RowOf(prom::LabelSet labels);
  bool RepeatsNextRow(prom::LabelSet labels);
  std::uint32_t AddRow(const Key& key, const Identity& identity, std::size_t hash);
  void MergeTexts(std::uint32_t at, const Identity& identity);
  models::Workload& Hold(std::uint32_t row, const Identity& identity);
  void Measure(const prom::InstantVector& vector, std::size_t sample, std::size_t metric);
  void Repeated(const prom::InstantVector& vector, std::size_t sample, std::uint32_t row,
                std::size_t metric, const Reading& reading);
  void Contend(const prom::InstantVector& vector, std::size_t sample, std::uint32_t row,
               std::size_t metric, double value);
  void AddShare(const schema::ShareMetric& share, std::uint32_t row, prom::LabelSet labels,
                double value);
  void ApplyTimes();
  void SettleContest();
  void SharePods(const Contest::Ranking& ranking, std::size_t slot);

  const schema::Exporter& exporter_;
  models::Arena& arena_;
  LabelReader labels_;
  ValueReader values_;
  const MetricIndex names_;
  std::vector<RowT> rows_;
  std::vector<std::string_view> devices_;    // row -> Key::device
  std::vector<std::string_view> instances_;  // row -> Key::instance
  std::vector<std::uint8_t> shown_;          // row, slot -> metric
  RowIndex index_;
  std::uint32_t last_row_ = RowIndex::kNone;        // of the sample before
  std::vector<std::vector<std::uint32_t>> owners_;  // metric, row -> 1 + sample of this vector
  Contest contest_;
  HeldWorkloads workloads_;
  std::vector<prom::InstantVector> times_;
  JoinCounts counts_;
  std::size_t samples_ = 0;
};

extern template class ExporterRows<models::GpuMetrics>;
extern template class ExporterRows<models::GpuProcess>;

}  // namespace gpumon::gpu
