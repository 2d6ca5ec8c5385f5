// Meets instant vectors on (node, gpu) or (node, gpu, pid) and makes a Snapshot of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/gpu/command.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/row_index.h"
#include "internal/prom/value.h"
#include "internal/schema/schema.h"
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
// depend on the order of samples or of Add calls: of several series for one value the first in
// label order counts, of several texts for one field the smallest (bytewise).
template <class RowT>
class Join {
 public:
  // `exporter` must outlive the Join.
  Join(const schema::Exporter& exporter, double as_of);

  // Takes the value of every sample of `vector` as `slot` (a Quantity or ProcessQuantity) of the
  // row its labels name, times `scale`. Once for a slot. What it keeps, it copies.
  void Add(const prom::InstantVector& vector, std::size_t slot, double scale);
  // The query for `slot` failed: its values are absent, not zero.
  void AddFailure(std::size_t slot);
  // Sample times (Unix seconds as values) by the same identity labels, kept until Finish: a row's
  // newest and oldest are taken over all of its series.
  void AddTimes(prom::InstantVector times);
  // Sample times are unknown: the snapshot is partial.
  void AddFailedTimes() { snapshot_->times_failed = snapshot_->partial = true; }
  // The server says that it left something out.
  void MarkPartial() { snapshot_->partial = true; }
  void AddUniqueWarning(std::string text) { warnings_.insert(std::move(text)); }
  void CountUndecodable(std::size_t n) { counts_.undecodable += n; }

  // Derives, checks bounds, states reasons, sorts. Call once, last.
  std::shared_ptr<models::Snapshot> Finish(CommandStyle commands);
  const JoinCounts& counts() const { return counts_; }

 private:
  struct Key {
    std::string_view node;
    std::string_view gpu;
    std::int64_t pid = 0;  // process rows
  };

  // The key that `identity` names; nothing, and counted, when it names none.
  std::optional<Key> KeyOf(const Identity& identity);
  std::uint32_t FindRow(const Key& key, std::size_t hash) const;
  // Answers mostly list the same series in the same order: then no look-up is needed.
  bool RepeatsNextRow(prom::LabelSet labels);
  // The row that `labels` name, with their texts; kNone, and counted, when they name none.
  std::uint32_t RowOf(prom::LabelSet labels);
  std::uint32_t FindOrAddRow(const Key& key);
  std::uint32_t AddRow(const Key& key, std::size_t hash);
  std::uint32_t NodeNumber(std::string_view node);
  bool IsRow(std::uint32_t row, const Key& key) const;
  void MergeTexts(std::uint32_t at, const Identity& identity);
  void ApplyTimes();
  void CheckRow(RowT& row);
  void ShowCommands(CommandStyle style);
  void StateReasons();
  void StateWarnings();
  std::vector<RowT> SortedRows();

  const schema::Exporter& exporter_;
  LabelReader labels_;
  std::shared_ptr<models::Snapshot> snapshot_;
  std::vector<RowT> rows_;
  RowIndex index_;
  std::vector<std::string_view> nodes_;  // every node name once
  RowIndex node_index_;
  std::vector<std::uint32_t> row_nodes_;      // row -> its node's number
  std::uint32_t last_row_ = RowIndex::kNone;  // of the sample before
  std::vector<std::uint32_t> owners_;  // row -> 1 + sample that set it, for the current vector
  std::vector<bool> failed_;
  std::vector<prom::InstantVector> times_;
  std::set<std::string> warnings_;
  JoinCounts counts_;
};

extern template class Join<models::GpuMetrics>;
extern template class Join<models::GpuProcess>;

// `0|[1-9][0-9]{0,5}` as a number, else RowT::kNoIndex.
std::int32_t ParseGpuIndex(std::string_view id);

}  // namespace gpumon::gpu
