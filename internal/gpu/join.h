// Meets instant vectors on (node, gpu) or (node, gpu, pid) and makes a Snapshot of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/gpu/command.h"
#include "internal/prom/value.h"
#include "internal/schema/schema.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Which series name the same thing. Views into the rows' texts.
struct RowKey {
  std::string_view node;
  std::string_view gpu;
  std::string_view pid;  // process rows
  bool operator==(const RowKey&) const = default;
};
struct RowKeyHash {
  std::size_t operator()(const RowKey& key) const {
    const std::hash<std::string_view> hash;
    return (hash(key.node) * 31 + hash(key.gpu)) * 31 + hash(key.pid);
  }
};

// What was left out or doubted while joining; each becomes a warning and a counter.
struct JoinCounts {
  std::size_t no_gpu_label = 0;   // sample dropped
  std::size_t no_node_label = 0;  // rows kept with node_name null
  std::size_t bad_pid = 0;        // sample dropped
  std::size_t bad_value = 0;      // NaN, infinite or impossible: null
  std::size_t duplicates = 0;     // series beyond the first of one (metric, key)
  std::size_t undecodable = 0;    // samples whose value was no number
};

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. The result does not
// depend on the order of samples or of Add calls.
template <class RowT>
class Join {
 public:
  // `exporter` must outlive the Join.
  Join(const schema::Exporter& exporter, double as_of);

  // Takes the value of every sample of `vector` as `slot` (a Quantity or ProcessQuantity) of the
  // row its labels name, times `scale`. What it keeps, it copies.
  void Add(const prom::InstantVector& vector, std::size_t slot, double scale);
  // The query for `slot` failed: its values are absent, not zero.
  void AddFailure(std::size_t slot);
  // Sample times by the same identity labels, kept until Finish.
  void AddTimes(prom::InstantVector newest_or_oldest, bool newest);
  // Sample times are unknown: the snapshot is partial.
  void AddFailedTimes() { snapshot_->partial = true; }
  void AddUniqueWarning(std::string text) { warnings_.insert(std::move(text)); }
  void CountUndecodable(std::size_t n) { counts_.undecodable += n; }

  // Derives, checks bounds, states reasons, sorts. Call once, last.
  std::shared_ptr<models::Snapshot> Finish(CommandStyle commands);
  const JoinCounts& counts() const { return counts_; }

 private:
  static constexpr std::size_t kSlots = std::tuple_size_v<decltype(RowT::texts)>;
  struct Identity {
    RowKey key;
    std::array<std::string_view, kSlots> texts{};
  };
  // What a label name means: its place in Identity and its rank among the aliases.
  struct Role {
    std::string name;
    std::uint8_t target = 0;
    std::uint8_t rank = 0;
  };

  std::optional<Identity> Identify(prom::LabelSet labels);
  const Role* RoleOf(std::string_view name, std::size_t position);
  std::uint32_t RowFor(const Identity& identity);
  void MergeTexts(RowT& row, const Identity& identity);
  void SetValue(RowT& row, std::size_t slot, double value);
  void ApplyTimes();
  void CheckRow(RowT& row);
  void ShowCommands(CommandStyle style);
  void StateReasons();
  void StateWarnings();

  const schema::Exporter& exporter_;
  std::shared_ptr<models::Snapshot> snapshot_;
  std::vector<RowT> rows_;
  std::unordered_map<RowKey, std::uint32_t, RowKeyHash> index_;
  std::uint32_t last_row_ = 0;  // series of one answer come in the order of the one before
  std::vector<Role> roles_;
  std::vector<const Role*> seen_roles_;  // by position in the label set of the sample before
  std::vector<std::string> seen_names_;
  std::vector<std::uint32_t> owners_;  // row -> 1 + sample that set it, for the current vector
  std::vector<bool> failed_;
  std::vector<std::pair<prom::InstantVector, bool>> times_;
  std::set<std::string> warnings_;
  JoinCounts counts_;
};

extern template class Join<models::GpuMetrics>;
extern template class Join<models::GpuProcess>;

// True when `a` comes before `b` in label order (name, value, bytewise).
bool LabelsBefore(prom::LabelSet a, prom::LabelSet b);

// `0|[1-9][0-9]{0,5}` as a number, else RowT::kNoIndex.
std::int32_t ParseGpuIndex(std::string_view id);

}  // namespace gpumon::gpu
