// Whose series it is: the rows of one exporter, and how a series finds its row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "internal/gpu/held_workloads.h"
#include "internal/gpu/join_counts.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/own_pods.h"
#include "internal/gpu/row_index.h"
#include "internal/gpu/row_times.h"
#include "internal/gpu/target_names.h"
#include "internal/gpu/text_claims.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. A row is known by node,
// device (its UUID, else its id), MIG instance (of GPU and of compute) and pid; where neither node
// nor UUID is known, by the host that was scraped. Its texts are those of its newest series,
// whatever their order.
template <class RowT>
class RowTable {
 public:
  static constexpr std::uint32_t kNone = RowIndex::kNone;

  // All must outlive it. Texts are kept in `arena`.
  RowTable(const schema::Exporter& exporter, const Surroundings& around, models::Arena& arena,
           JoinCounts& counts);

  // The series of another family begin.
  void BeginFamily() { last_row_ = kNone; }
  // Its row, a new one if need be, with its texts and the pod that it names; kNone (counted) when
  // it names no GPU or no pid.
  std::uint32_t RowOf(prom::LabelSet labels);
  // What a series names.
  Identity Read(prom::LabelSet labels);
  // Its row if there is one. Counts nothing, learns nothing.
  std::uint32_t Find(prom::LabelSet labels);
  // The pod that `labels`, a series of `row`, name; nothing when they name none.
  models::Workload* WorkloadOf(std::uint32_t row, prom::LabelSet labels);
  // After each sample of a vector that was read, and after the last: rows whose series disagree
  // hear all of them.
  void EndSample() { read_.push_back(last_row_); }
  void EndVector(const prom::InstantVector& vector);
  // The series of `row` that `labels` are of was sampled `at` (Unix seconds).
  void Timed(std::uint32_t row, prom::LabelSet labels, double at);
  // Of texts that disagree the newest stay, once all is read.
  void SettleTexts(const RowTimes& times) { claims_.Settle(times, rows_); }
  // What nobody's labels say: the id of the GPU.
  void SetGpuId(std::uint32_t row, std::string_view id);

  void Reserve(std::size_t rows);
  // All that Read takes, before it.
  void Learn(const prom::InstantVector& vector) { targets_.Learn(vector, labels_); }
  // The node that these name, or else who was scraped; of a row, the same.
  std::string PlaceOf(prom::LabelSet labels);
  std::string_view PlaceOf(std::uint32_t row) const;
  // Jobs that name pods and whose targets' own were not asked for: theirs are not shown.
  const std::set<std::string>& new_jobs() const { return new_jobs_; }
  std::vector<RowT>& rows() { return rows_; }
  const std::vector<RowT>& rows() const { return rows_; }
  // Some row is a compute instance's.
  bool names_compute_instances() const { return names_compute_instances_; }
  HeldWorkloads& workloads() { return workloads_; }
  const HeldWorkloads& workloads() const { return workloads_; }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;

  struct Key {
    std::string_view node;
    std::string_view device;  // the UUID as the exporter writes it, else the GPU's id
    std::string_view instance;
    std::string_view compute_instance;
    std::string_view host = {};  // of a device without node and UUID: who was scraped
    std::int64_t pid = 0;
    bool by_uuid = false;
  };

  void ReadPod(prom::LabelSet labels, Identity& identity);
  std::optional<Key> KeyOf(const Identity& identity, prom::LabelSet labels);
  static std::size_t HashOf(const Key& key);
  bool IsRow(std::uint32_t row, const Key& key, std::string_view device) const;
  std::uint32_t FindRow(const Key& key, std::size_t hash);
  bool RepeatsNextRow(prom::LabelSet labels);
  std::uint32_t AddRow(const Key& key, const Identity& identity, std::size_t hash);
  void MeetEarlier(std::uint32_t at, const Identity& identity);
  void MergeTexts(std::uint32_t at, const Identity& identity);
  models::Workload& Hold(std::uint32_t row, const Identity& identity);

  const schema::Exporter& exporter_;
  const Surroundings& around_;
  models::Arena& arena_;
  JoinCounts& counts_;
  LabelReader labels_;
  bool may_be_targets_ = false;  // as MayBeTargets
  std::vector<RowT> rows_;
  std::vector<std::string_view> devices_;  // row -> Key::device of its first series
  std::vector<std::string_view> hosts_;    // row -> Key::host
  bool names_compute_instances_ = false;
  RowIndex index_;
  std::set<std::size_t> unknown_;  // targets whose `up` is missing
  std::set<std::string> new_jobs_;
  TargetNames targets_;
  std::uint32_t last_row_ = kNone;  // of the series before
  HeldWorkloads workloads_;
  TextClaims<RowT> claims_;
  std::vector<std::uint32_t> read_;  // sample of the vector at hand -> its row
  std::size_t rows_before_ = 0;      // of the vectors before it
};

extern template class RowTable<models::GpuMetrics>;
extern template class RowTable<models::GpuProcess>;

}  // namespace gpumon::gpu
