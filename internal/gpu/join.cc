#include "internal/gpu/join.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>
#include <type_traits>
#include <unordered_map>

#include "internal/gpu/bounds.h"

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Text;

template <class RowT>
constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;

template <class RowT>
constexpr std::size_t kQuantitiesOf =
    kIsProcess<RowT> ? models::kProcessQuantities : models::kQuantities;

template <class RowT>
constexpr std::size_t kTextsOf = std::tuple_size_v<decltype(RowT::texts)>;

bool IsDecimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::int64_t> ParsePid(std::string_view text) {
  std::int64_t pid = 0;
  if (!IsDecimal(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc()) return std::nullopt;
  return pid;
}

std::size_t HashOf(std::string_view node, std::string_view gpu, std::int64_t pid) {
  const std::hash<std::string_view> hash;
  const auto mix = [](std::size_t x) { return x * 0x9E3779B97F4A7C15U ^ (x >> 29U); };
  return mix(mix(hash(node)) + hash(gpu)) + mix(static_cast<std::size_t>(pid));
}

std::string Count(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + ' ' + std::string(n == 1 ? one : many);
}

// Which of two samples for one value counts: the first in label order (name, value, bytewise).
bool ComesFirst(const prom::InstantVector& vector, std::size_t a, std::size_t b) {
  const auto before = [](const prom::Label& x, const prom::Label& y) {
    return x.name != y.name ? x.name < y.name : x.value < y.value;
  };
  const auto x = vector.labels(a);
  const auto y = vector.labels(b);
  if (std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), before)) return true;
  if (std::lexicographical_compare(y.begin(), y.end(), x.begin(), x.end(), before)) return false;
  // No Prometheus sends one label set twice. Should one, its order still does not count.
  return std::bit_cast<std::uint64_t>(vector.point(a).value) <
         std::bit_cast<std::uint64_t>(vector.point(b).value);
}

}  // namespace

std::int32_t ParseGpuIndex(std::string_view id) {
  if (!IsDecimal(id) || id.size() > 6 || (id.size() > 1 && id[0] == '0')) {
    return models::GpuMetrics::kNoIndex;
  }
  std::int32_t index = 0;
  std::from_chars(id.data(), id.data() + id.size(), index);
  return index;
}

template <class RowT>
Join<RowT>::Join(const schema::Exporter& exporter, double as_of)
    : exporter_(exporter),
      labels_(exporter, kTextsOf<RowT>, kIsProcess<RowT>),
      snapshot_(std::make_shared<models::Snapshot>()),
      failed_(kQuantitiesOf<RowT>, false) {
  snapshot_->as_of = as_of;
  snapshot_->part = kIsProcess<RowT> ? models::Part::kProcesses : models::Part::kGpus;
}

template <class RowT>
auto Join<RowT>::KeyOf(const Identity& identity) -> std::optional<Key> {
  Key key{identity.text(Text::kNode), identity.text(Text::kGpuId)};
  if (key.gpu.empty()) {
    ++counts_.no_gpu_label;
    return std::nullopt;
  }
  if constexpr (kIsProcess<RowT>) {
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
bool Join<RowT>::IsRow(std::uint32_t row, const Key& key) const {
  return rows_[row].pid == key.pid && SameText(rows_[row].text(Text::kGpuId), key.gpu) &&
         SameText(rows_[row].text(Text::kNode), key.node);
}

template <class RowT>
std::uint32_t Join<RowT>::FindRow(const Key& key, std::size_t hash) const {
  return index_.Find(hash, [&](std::uint32_t row) { return IsRow(row, key); });
}

template <class RowT>
std::uint32_t Join<RowT>::NodeNumber(std::string_view node) {
  const std::size_t hash = HashOf(node, {}, 0);
  std::uint32_t number =
      node_index_.Find(hash, [&](std::uint32_t n) { return SameText(nodes_[n], node); });
  if (number == RowIndex::kNone) {
    number = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back(snapshot_->arena.Keep(node));
    node_index_.Insert(hash, number);
  }
  return number;
}

template <class RowT>
bool Join<RowT>::RepeatsNextRow(prom::LabelSet labels) {
  // kNone + 1 is the first row.
  const std::uint32_t next = last_row_ + 1;
  if (next >= rows_.size()) return false;
  std::string_view pid;
  if (!labels_.Repeats(labels, rows_[next].texts, pid)) return false;
  if (kIsProcess<RowT> && ParsePid(pid) != rows_[next].pid) return false;
  last_row_ = next;
  return true;
}

template <class RowT>
std::uint32_t Join<RowT>::RowOf(prom::LabelSet labels) {
  if (RepeatsNextRow(labels)) return last_row_;
  const Identity identity = labels_.Read(labels);
  const auto key = KeyOf(identity);
  if (!key) return RowIndex::kNone;
  last_row_ = FindOrAddRow(*key);
  MergeTexts(last_row_, identity);
  return last_row_;
}

template <class RowT>
std::uint32_t Join<RowT>::FindOrAddRow(const Key& key) {
  const std::size_t hash = HashOf(key.node, key.gpu, key.pid);
  const std::uint32_t found = FindRow(key, hash);
  return found == RowIndex::kNone ? AddRow(key, hash) : found;
}

template <class RowT>
std::uint32_t Join<RowT>::AddRow(const Key& key, std::size_t hash) {
  const auto at = static_cast<std::uint32_t>(rows_.size());
  const std::uint32_t node = NodeNumber(key.node);
  RowT& row = rows_.emplace_back();
  row.set_text(Text::kNode, nodes_[node]);
  row.set_text(Text::kGpuId, snapshot_->arena.Keep(key.gpu));
  row.set_text(Text::kSource, exporter_.name);
  row.gpu_index = ParseGpuIndex(key.gpu);
  row.pid = key.pid;
  row_nodes_.push_back(node);
  owners_.push_back(0);
  index_.Insert(hash, at);
  if (key.node.empty()) ++counts_.no_node_label;
  return at;
}

template <class RowT>
void Join<RowT>::MergeTexts(std::uint32_t at, const Identity& identity) {
  RowT& row = rows_[at];
  for (std::size_t slot = static_cast<std::size_t>(Text::kGpuId) + 1; slot < kTextsOf<RowT>;
       ++slot) {
    const std::string_view text = identity.texts[slot];
    std::string_view& kept = row.texts[slot];
    if (text.empty() || SameText(text, kept)) continue;
    if (!kept.empty() && kept < text) continue;
    const bool as_before = at > 0 && SameText(rows_[at - 1].texts[slot], text);
    kept = as_before ? rows_[at - 1].texts[slot] : snapshot_->arena.Keep(text);
  }
}

template <class RowT>
void Join<RowT>::Add(const prom::InstantVector& vector, std::size_t slot, double scale) {
  owners_.assign(rows_.size(), 0);
  last_row_ = RowIndex::kNone;
  if (rows_.empty()) {
    rows_.reserve(vector.size());
    row_nodes_.reserve(vector.size());
    owners_.reserve(vector.size());
    index_.Reserve(vector.size());
  }
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::uint32_t at = RowOf(vector.labels(i));
    if (at == RowIndex::kNone) continue;
    std::uint32_t& owner = owners_[at];
    if (owner != 0) {
      ++counts_.duplicates;
      if (!ComesFirst(vector, i, owner - 1)) continue;
    }
    owner = static_cast<std::uint32_t>(i + 1);
    const double value = vector.point(i).value * scale;
    if (IsPossible<RowT>(slot, value)) {
      rows_[at].readings.Set(slot, value);
    } else {
      rows_[at].readings.SetAbsent(slot, NullReason::kInvalidValue);
    }
  }
}

template <class RowT>
void Join<RowT>::AddFailure(std::size_t slot) {
  failed_[slot] = true;
  snapshot_->partial = true;
}

template <class RowT>
void Join<RowT>::AddTimes(prom::InstantVector times) {
  times_.push_back(std::move(times));
}

template <class RowT>
void Join<RowT>::ApplyTimes() {
  const JoinCounts before = counts_;
  for (const auto& vector : times_) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const auto key = KeyOf(labels_.Read(vector.labels(i)));
      const double at = vector.point(i).value;
      if (!key || !std::isfinite(at)) continue;
      const std::uint32_t found = FindRow(*key, HashOf(key->node, key->gpu, key->pid));
      if (found == RowIndex::kNone) continue;
      RowT& row = rows_[found];
      if (!(row.newest >= at)) row.newest = at;
      if (!(row.oldest <= at)) row.oldest = at;
    }
  }
  counts_ = before;  // the same labels were counted with the values
  times_.clear();
}

template <class RowT>
void Join<RowT>::CheckRow(RowT& row) {
  CheckTogether(row);
  for (std::size_t slot = 0; slot < kQuantitiesOf<RowT>; ++slot) {
    if (row.readings.reason(slot) == NullReason::kInvalidValue) ++counts_.bad_value;
    if (failed_[slot]) row.readings.SetAbsent(slot, NullReason::kQueryFailed);
  }
  Derive(row);
}

template <class RowT>
void Join<RowT>::ShowCommands(CommandStyle style) {
  if constexpr (kIsProcess<RowT>) {
    if (style == CommandStyle::kFull) return;
    // Ranks of one job run one command.
    std::unordered_map<std::string_view, std::string_view> shown;
    for (auto& row : rows_) {
      const std::string_view command = row.text(Text::kCommand);
      const auto [known, is_new] = shown.try_emplace(command);
      if (is_new) {
        const std::string text = ShowCommand(command, style);
        known->second = text == command ? command : snapshot_->arena.Keep(text);
      }
      row.set_text(Text::kCommand, known->second);
    }
  }
}

template <class RowT>
void Join<RowT>::StateReasons() {
  RowT blank;
  CheckRow(blank);
  const auto state = [&](auto& missing) {
    for (std::size_t slot = 0; slot < missing.size(); ++slot) {
      const NullReason reason = (rows_.empty() ? blank : rows_.front()).readings.reason(slot);
      const bool shared = std::all_of(rows_.begin(), rows_.end(), [&](const RowT& row) {
        return row.readings.reason(slot) == reason;
      });
      missing[slot] = shared ? reason : NullReason::kNone;
    }
  };
  if constexpr (kIsProcess<RowT>) {
    state(snapshot_->missing_process);
  } else {
    state(snapshot_->missing_gpu);
  }
}

template <class RowT>
void Join<RowT>::StateWarnings() {
  snapshot_->warnings.assign(warnings_.begin(), warnings_.end());
  const auto state = [&](std::size_t n, std::string_view one, std::string_view many) {
    if (n > 0) snapshot_->warnings.push_back(Count(n, one, many));
  };
  state(counts_.no_gpu_label, "sample without a GPU label dropped",
        "samples without a GPU label dropped");
  state(counts_.bad_pid, "sample without a valid pid dropped",
        "samples without a valid pid dropped");
  state(counts_.no_node_label, "row without a node label", "rows without a node label");
  state(counts_.bad_value, "impossible value shown as null", "impossible values shown as null");
  state(counts_.duplicates, "duplicate series ignored", "duplicate series ignored");
}

// Node names are compared once per node, not at each step of the sort.
template <class RowT>
std::vector<RowT> Join<RowT>::SortedRows() {
  std::vector<std::uint32_t> nodes(nodes_.size());
  std::iota(nodes.begin(), nodes.end(), 0U);
  std::sort(nodes.begin(), nodes.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(nodes_[a].empty(), nodes_[a]) < std::tuple(nodes_[b].empty(), nodes_[b]);
  });
  std::vector<std::uint32_t> ranks(nodes_.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) ranks[nodes[i]] = static_cast<std::uint32_t>(i);

  struct Place {
    std::uint64_t node_and_index;  // no index, being negative, comes last
    std::uint32_t row;
  };
  std::vector<Place> places(rows_.size());
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(rows_[i].gpu_index);
    places[i] = {(std::uint64_t{ranks[row_nodes_[i]]} << 32U) | index, i};
  }
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.node_and_index != b.node_and_index) return a.node_and_index < b.node_and_index;
    const RowT& x = rows_[a.row];
    const RowT& y = rows_[b.row];
    return std::tuple(x.text(Text::kGpuId), x.pid) < std::tuple(y.text(Text::kGpuId), y.pid);
  });
  std::vector<RowT> sorted;
  sorted.reserve(rows_.size());
  for (const Place& place : places) sorted.push_back(rows_[place.row]);
  rows_ = {};
  return sorted;
}

template <class RowT>
std::shared_ptr<models::Snapshot> Join<RowT>::Finish(CommandStyle commands) {
  ApplyTimes();
  for (RowT& row : rows_) CheckRow(row);
  ShowCommands(commands);
  StateReasons();
  StateWarnings();
  if (!rows_.empty()) snapshot_->sources = {std::string(exporter_.name)};
  if constexpr (kIsProcess<RowT>) {
    snapshot_->processes = SortedRows();
  } else {
    snapshot_->gpus = SortedRows();
  }
  return std::move(snapshot_);
}

template class Join<models::GpuMetrics>;
template class Join<models::GpuProcess>;

}  // namespace gpumon::gpu
