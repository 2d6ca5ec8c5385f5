#include "internal/gpu/join.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>

#include "internal/base/text.h"
#include "internal/gpu/bounds.h"
#include "internal/gpu/command.h"

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Text;

// Targets of a Role: the texts by their slot, then the pid.
constexpr std::uint8_t kPidTarget = 254;
constexpr std::uint8_t kNoTarget = 255;

template <class RowT>
constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;

template <class RowT>
constexpr std::size_t kQuantitiesOf =
    kIsProcess<RowT> ? models::kProcessQuantities : models::kQuantities;

std::optional<std::int64_t> ParsePid(std::string_view text) {
  std::int64_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid < 0) return std::nullopt;
  return pid;
}

std::string Count(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + ' ' + std::string(n == 1 ? one : many);
}

}  // namespace

bool LabelsBefore(prom::LabelSet a, prom::LabelSet b) {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(), [](const prom::Label& x, const prom::Label& y) {
        return x.name != y.name ? x.name < y.name : x.value < y.value;
      });
}

std::int32_t ParseGpuIndex(std::string_view id) {
  const bool digits =
      !id.empty() && id.size() <= 6 &&
      std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (id.size() > 1 && id[0] == '0')) return models::GpuMetrics::kNoIndex;
  std::int32_t index = 0;
  std::from_chars(id.data(), id.data() + id.size(), index);
  return index;
}

template <class RowT>
Join<RowT>::Join(const schema::Exporter& exporter, double as_of)
    : exporter_(exporter),
      snapshot_(std::make_shared<models::Snapshot>()),
      failed_(kQuantitiesOf<RowT>, false) {
  snapshot_->as_of = as_of;
  snapshot_->part = kIsProcess<RowT> ? models::Part::kProcesses : models::Part::kGpus;
  const auto add = [&](const schema::Aliases& aliases, std::uint8_t target) {
    for (std::size_t rank = 0; rank < aliases.size(); ++rank) {
      roles_.push_back(Role{std::string(aliases[rank]), target, static_cast<std::uint8_t>(rank)});
    }
  };
  add(exporter.node, static_cast<std::uint8_t>(Text::kNode));
  add(exporter.gpu, static_cast<std::uint8_t>(Text::kGpuId));
  if (kIsProcess<RowT>) add(exporter.pid, kPidTarget);
  for (const auto& row : exporter.texts) {
    if (static_cast<std::size_t>(row.text) < kSlots) {
      add(row.aliases, static_cast<std::uint8_t>(row.text));
    }
  }
}

template <class RowT>
auto Join<RowT>::RoleOf(std::string_view name, std::size_t position) -> const Role* {
  // Neighbouring series carry the same label names in the same places.
  if (position < seen_names_.size() && seen_names_[position] == name) return seen_roles_[position];
  const auto found =
      std::find_if(roles_.begin(), roles_.end(), [&](const Role& r) { return r.name == name; });
  const Role* role = found == roles_.end() ? nullptr : &*found;
  if (position >= seen_names_.size()) {
    seen_names_.resize(position + 1);
    seen_roles_.resize(position + 1);
  }
  seen_names_[position] = name;
  seen_roles_[position] = role;
  return role;
}

template <class RowT>
auto Join<RowT>::Identify(prom::LabelSet labels) -> std::optional<Identity> {
  Identity identity;
  std::array<std::uint8_t, kSlots> ranks;
  ranks.fill(kNoTarget);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Role* role = RoleOf(labels[i].name, i);
    if (role == nullptr || labels[i].value.empty()) continue;
    if (role->target == kPidTarget) {
      identity.key.pid = labels[i].value;
    } else if (role->rank < ranks[role->target]) {
      ranks[role->target] = role->rank;
      identity.texts[role->target] = labels[i].value;
    }
  }
  identity.key.node = identity.texts[static_cast<std::size_t>(Text::kNode)];
  identity.key.gpu = identity.texts[static_cast<std::size_t>(Text::kGpuId)];
  if (identity.key.gpu.empty()) {
    ++counts_.no_gpu_label;
    return std::nullopt;
  }
  if (kIsProcess<RowT> && !ParsePid(identity.key.pid)) {
    ++counts_.bad_pid;
    return std::nullopt;
  }
  return identity;
}

template <class RowT>
std::uint32_t Join<RowT>::RowFor(const Identity& identity) {
  const auto is = [&](const RowT& row) {
    return row.text(Text::kNode) == identity.key.node && row.text(Text::kGpuId) == identity.key.gpu;
  };
  if (!kIsProcess<RowT> && last_row_ + 1 < rows_.size() && is(rows_[last_row_ + 1])) {
    return ++last_row_;
  }
  if (const auto found = index_.find(identity.key); found != index_.end()) {
    return last_row_ = found->second;
  }
  RowT row;
  auto& arena = snapshot_->arena;
  // Rows of one node share its name.
  const bool same_node = !rows_.empty() && rows_.back().text(Text::kNode) == identity.key.node;
  row.set_text(Text::kNode,
               same_node ? rows_.back().text(Text::kNode) : arena.Keep(identity.key.node));
  row.set_text(Text::kGpuId, arena.Keep(identity.key.gpu));
  row.gpu_index = ParseGpuIndex(identity.key.gpu);
  RowKey key{row.text(Text::kNode), row.text(Text::kGpuId), {}};
  if (kIsProcess<RowT>) {
    row.pid = *ParsePid(identity.key.pid);
    key.pid = arena.Keep(identity.key.pid);
  }
  if (identity.key.node.empty()) ++counts_.no_node_label;
  rows_.push_back(row);
  last_row_ = static_cast<std::uint32_t>(rows_.size() - 1);
  index_.emplace(key, last_row_);
  return last_row_;
}

template <class RowT>
void Join<RowT>::MergeTexts(RowT& row, const Identity& identity) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const std::string_view text = identity.texts[slot];
    std::string_view& kept = row.texts[slot];
    // Where series of one row disagree the smaller text stays: any order, same answer.
    if (text.empty() || text == kept || (!kept.empty() && kept < text)) continue;
    const bool as_before = rows_.size() > 1 && rows_[rows_.size() - 2].texts[slot] == text;
    kept = as_before ? rows_[rows_.size() - 2].texts[slot] : snapshot_->arena.Keep(text);
  }
}

template <class RowT>
void Join<RowT>::SetValue(RowT& row, std::size_t slot, double value) {
  if (IsPossible<RowT>(slot, value)) {
    row.readings.Set(slot, value);
  } else {
    row.readings.SetAbsent(slot, NullReason::kInvalidValue);
  }
}

template <class RowT>
void Join<RowT>::Add(const prom::InstantVector& vector, std::size_t slot, double scale) {
  owners_.assign(rows_.size(), 0);
  last_row_ = static_cast<std::uint32_t>(-1);
  if (rows_.empty()) {
    rows_.reserve(vector.size());
    index_.reserve(vector.size());
  }
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto identity = Identify(vector.labels(i));
    if (!identity) continue;
    const std::uint32_t at = RowFor(*identity);
    if (at >= owners_.size()) owners_.resize(at + 1, 0);
    MergeTexts(rows_[at], *identity);
    std::uint32_t& owner = owners_[at];
    if (owner != 0) {
      ++counts_.duplicates;
      if (!LabelsBefore(vector.labels(i), vector.labels(owner - 1))) continue;
    }
    owner = static_cast<std::uint32_t>(i + 1);
    SetValue(rows_[at], slot, vector.point(i).value * scale);
  }
}

template <class RowT>
void Join<RowT>::AddFailure(std::size_t slot) {
  failed_[slot] = true;
  snapshot_->partial = true;
}

template <class RowT>
void Join<RowT>::AddTimes(prom::InstantVector newest_or_oldest, bool newest) {
  times_.emplace_back(std::move(newest_or_oldest), newest);
}

template <class RowT>
void Join<RowT>::ApplyTimes() {
  const JoinCounts before = counts_;
  for (const auto& [vector, newest] : times_) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const auto identity = Identify(vector.labels(i));
      const double at = vector.point(i).value;
      if (!identity || !std::isfinite(at)) continue;
      const auto found = index_.find(identity->key);
      if (found == index_.end()) continue;
      RowT& row = rows_[found->second];
      double& kept = newest ? row.newest : row.oldest;
      const bool better = std::isnan(kept) || (newest ? at > kept : at < kept);
      if (better) kept = at;
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
  row.set_text(Text::kSource, exporter_.name);
}

template <class RowT>
void Join<RowT>::ShowCommands(CommandStyle style) {
  if constexpr (kIsProcess<RowT>) {
    if (style == CommandStyle::kFull) return;
    for (auto& row : rows_) {
      const std::string_view command = row.text(Text::kCommand);
      const std::string shown = ShowCommand(command, style);
      if (shown != command) row.set_text(Text::kCommand, snapshot_->arena.Keep(shown));
    }
  }
}

template <class RowT>
void Join<RowT>::StateReasons() {
  const auto state = [&](auto& missing) {
    for (std::size_t slot = 0; slot < missing.size(); ++slot) {
      NullReason reason = failed_[slot] ? NullReason::kQueryFailed : NullReason::kNotExported;
      if (!rows_.empty()) reason = rows_.front().readings.reason(slot);
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
  auto& warnings = snapshot_->warnings;
  const auto state = [&](std::size_t n, std::string_view one, std::string_view many) {
    if (n > 0) warnings.push_back(Count(n, one, many));
  };
  state(counts_.no_gpu_label, "sample without a GPU label dropped",
        "samples without a GPU label dropped");
  state(counts_.bad_pid, "sample without a valid pid dropped",
        "samples without a valid pid dropped");
  state(counts_.no_node_label, "row without a node label", "rows without a node label");
  state(counts_.bad_value, "impossible value shown as null", "impossible values shown as null");
  state(counts_.undecodable, "sample whose value is not a number dropped",
        "samples whose values are not numbers dropped");
  state(counts_.duplicates, "duplicate series ignored", "duplicate series ignored");
}

template <class RowT>
std::shared_ptr<models::Snapshot> Join<RowT>::Finish(CommandStyle commands) {
  ApplyTimes();
  for (auto& row : rows_) CheckRow(row);
  ShowCommands(commands);
  StateReasons();
  snapshot_->warnings.assign(warnings_.begin(), warnings_.end());
  StateWarnings();
  const auto order = [](const RowT& row) {
    return std::tuple(row.text(Text::kNode).empty(), row.text(Text::kNode),
                      static_cast<std::uint32_t>(row.gpu_index), row.text(Text::kGpuId), row.pid);
  };
  std::sort(rows_.begin(), rows_.end(),
            [&](const RowT& a, const RowT& b) { return order(a) < order(b); });
  if (!rows_.empty()) snapshot_->sources = {std::string(exporter_.name)};
  index_.clear();
  if constexpr (kIsProcess<RowT>) {
    snapshot_->processes = std::move(rows_);
  } else {
    snapshot_->gpus = std::move(rows_);
  }
  return std::move(snapshot_);
}

template class Join<models::GpuMetrics>;
template class Join<models::GpuProcess>;

}  // namespace gpumon::gpu
