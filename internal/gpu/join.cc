#include "internal/gpu/join.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "internal/gpu/bounds.h"
#include "internal/gpu/mig.h"
#include "internal/gpu/row_commands.h"
#include "internal/gpu/row_identity.h"
#include "internal/gpu/row_order.h"
#include "internal/gpu/shared_reasons.h"

namespace gpumon::gpu {

using models::NullReason;
using models::Text;

template <class RowT>
Join<RowT>::Join(std::span<const schema::Exporter* const> exporters, UnitEvidence& evidence,
                 double as_of)
    : exporters_(exporters),
      evidence_(evidence),
      snapshot_(std::make_shared<models::Snapshot>()),
      missed_(exporters, around_),
      contributions_(exporters.size()),
      failed_(kSlots, false) {
  snapshot_->as_of = around_.at = as_of;
  snapshot_->part = kIsProcess ? models::Part::kProcesses : models::Part::kGpus;
  for (const schema::Exporter* exporter : exporters) {
    parts_.push_back(
        std::make_unique<ExporterRows<RowT>>(*exporter, around_, evidence, snapshot_->arena));
    first_coverage_.push_back(snapshot_->coverage.size());
    for (const schema::Metric& metric : exporter->metrics(kIsProcess)) {
      snapshot_->coverage.push_back({exporter->name, metric.name, metric.slot});
    }
    if (kIsProcess) {
      devices_.push_back(std::make_unique<ExporterRows<models::GpuMetrics>>(
          *exporter, around_, evidence, snapshot_->arena));
    }
  }
}

template <class RowT>
void Join<RowT>::Expect(std::span<const Subject> subjects, double units_shown) {
  std::set<std::string, std::less<>> jobs;
  bool all_known = true;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const Subject& subject = subjects[i];
    jobs.insert(subject.jobs.begin(), subject.jobs.end());
    all_known &= !subject.jobs.empty();
    std::set<std::size_t> frozen;
    for (const auto& [target, name] : subject.frozen) frozen.insert(target);
    parts_[i]->SetFrozen(frozen);
    missed_.SetPast(i, subject.down);
    for (const auto& [metric, shown] : subject.units) {
      evidence_.Remember(metric, shown, units_shown);
    }
  }
  if (all_known) SetAskedJobs(std::move(jobs));
}

template <class RowT>
void Join<RowT>::Add(std::size_t exporter, const prom::InstantVector& vector,
                     std::optional<std::size_t> metric) {
  const auto sides = DownSamples::Split(missed_.down(), vector);
  const prom::InstantVector& up = sides ? sides->up : vector;
  parts_[exporter]->Add(up, metric);
  if (sides) parts_[exporter]->AddDown(sides->down, metric);
  // Series of GPUs that came along; the others are none of a GPU's.
  if (kIsProcess && !metric) devices_[exporter]->Add(up, std::nullopt);
}

template <class RowT>
void Join<RowT>::AddFailure(std::size_t exporter, std::optional<std::size_t> metric) {
  const auto& metrics = exporters_[exporter]->metrics(kIsProcess);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!metric || *metric == i) failed_[metrics[i].slot] = true;
  }
  snapshot_->partial = true;
  if (!metric) snapshot_->texts_failed = true;
}

template <class RowT>
void Join<RowT>::AddTargets(const prom::InstantVector& targets) {
  around_.own_pods.Add(targets);
  missed_.AddTargets(targets);
}

template <class RowT>
void Join<RowT>::Cover(std::size_t exporter, std::size_t i, std::size_t slot, bool shown) {
  const std::uint8_t metric = parts_[exporter]->metric(i, slot);
  if (metric == ExporterRows<RowT>::kNoMetric) return;  // derived
  models::Coverage& coverage = snapshot_->coverage[first_coverage_[exporter] + metric];
  ++(shown ? coverage.rows : coverage.losers);
}

template <class RowT>
void Join<RowT>::CoverRow(std::size_t exporter, std::size_t i, const RowT& row, bool shown) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (row.readings.Has(slot)) Cover(exporter, i, slot, shown);
  }
}

template <class RowT>
void Join<RowT>::TellMet(std::size_t exporter, std::size_t i, std::uint32_t at) {
  if constexpr (!kIsProcess) {
    if (recorder_ == nullptr) return;
    const ExporterRows<RowT>& rows = *parts_[exporter];
    recorder_->Met(*exporters_[exporter], static_cast<std::uint32_t>(i), at, rows.row(i),
                   rows.shown(i));
  }
}

template <class RowT>
void Join<RowT>::AddRow(std::size_t exporter, std::size_t i) {
  ExporterRows<RowT>& rows = *parts_[exporter];
  const auto at = static_cast<std::uint32_t>(rows_.size());
  contributions_.Add(exporter, i, at);
  rows_.push_back(rows.row(i));
  last_exporter_.push_back(exporter);
  held_.push_back(rows.WorkloadsOf(i));
  const RowT& row = rows_.back();
  const bool twice = names_.MayBeTwice(row);
  if (twice) twice_.push_back(at);
  CoverRow(exporter, i, row, !twice);
  TellMet(exporter, i, at);
  if (!row.text(Text::kUuid).empty() && !names_.IsCloned(row)) by_uuid_.Insert(UuidHash(row), at);
  by_id_.Insert(IdHash(row), at);
}

// What an exporter's own readings give, where no exporter measured it.
template <class RowT>
void Join<RowT>::DeriveAll() {
  if constexpr (!kIsProcess) {
    for (std::size_t e = 0; e < parts_.size(); ++e) {
      for (std::size_t i = 0; !exporters_[e]->derive.empty() && i < parts_[e]->size(); ++i) {
        counts_.bad_value +=
            DeriveAsIn(*exporters_[e], parts_[e]->row(i), rows_[contributions_.PlaceOf(e, i)]);
      }
    }
    for (const auto& one : allotted_.all()) {
      const auto outcome = one.GiveTo(rows_[contributions_.PlaceOf(one.exporter, one.row)]);
      counts_.bad_value += outcome == Allotted::Outcome::kImpossible ? 1U : 0U;
      Cover(one.exporter, one.row, one.slot, outcome == Allotted::Outcome::kShown);
    }
  }
}

// The rows of the only exporter are the rows.
template <class RowT>
void Join<RowT>::TakeAll() {
  ExporterRows<RowT>& rows = *parts_.front();
  held_.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    names_.Complete(rows.row(i), 0);
    if constexpr (!kIsProcess) {
      counts_.bad_value += DeriveAsIn(*exporters_.front(), rows.row(i), rows.row(i));
    }
    CoverRow(0, i, rows.row(i), true);
    TellMet(0, i, static_cast<std::uint32_t>(i));
    held_.push_back(rows.WorkloadsOf(i));
  }
  contributions_.AddAll();
  rows_ = rows.TakeRows();
}

template <class RowT>
void Join<RowT>::FillRow(std::uint32_t at, std::size_t exporter, std::size_t i) {
  ExporterRows<RowT>& rows = *parts_[exporter];
  contributions_.Add(exporter, i, at);
  RowT& row = rows_[at];
  const RowT& more = rows.row(i);
  const bool had_uuid = !row.text(Text::kUuid).empty();
  last_exporter_[at] = exporter;
  TellMet(exporter, i, at);
  names_.Met(row, more);
  bool used = false;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (!more.readings.Has(slot)) {
      if (row.readings.reason(slot) == NullReason::kNotExported) {
        row.readings.SetAbsent(slot, more.readings.reason(slot));
      }
      continue;
    }
    const bool shown = !row.readings.Has(slot);
    if (shown) row.readings.Set(slot, *more.readings.Get(slot));
    used |= shown;
    Cover(exporter, i, slot, shown);
  }
  for (std::size_t slot = 0; slot < row.texts.size(); ++slot) {
    if (row.texts[slot].empty()) row.texts[slot] = more.texts[slot];
  }
  // The instance says more than its GPU.
  if (IsMigUuid(more.text(Text::kUuid))) row.set_text(Text::kUuid, more.text(Text::kUuid));
  if (row.gpu_index == RowT::kNoIndex) row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
  row.divided |= more.divided;
  if (row.pod_untold == NullReason::kNone) row.pod_untold = more.pod_untold;
  if (used) {
    if (!(row.newest >= more.newest) && !std::isnan(more.newest)) row.newest = more.newest;
    if (!(row.oldest <= more.oldest) && !std::isnan(more.oldest)) row.oldest = more.oldest;
    row.bad_time |= more.bad_time;
  }
  MergeWorkloads(held_[at], rows.WorkloadsOf(i));
  if (!had_uuid && !row.text(Text::kUuid).empty()) by_uuid_.Insert(UuidHash(row), at);
}

template <class RowT>
void Join<RowT>::Take(std::size_t exporter) {
  ExporterRows<RowT>& rows = *parts_[exporter];
  counts_ += rows.counts();
  if constexpr (!kIsProcess) allotted_.TakeOut(*exporters_[exporter], exporter, rows);
  const auto shadows = static_cast<std::size_t>(std::count_if(
      shadows_.begin(), shadows_.end(), [&](const auto& one) { return one.exporter == exporter; }));
  if (rows.size() > shadows) snapshot_->AddSource(exporters_[exporter]->name, rows.TellsPods());
  contributions_.Expect(exporter, rows.size());
  std::array<std::size_t, RowNames<RowT>::kRanks> of_rank{};
  for (std::size_t i = 0; i < rows.size(); ++i) ++of_rank[names_.RankOf(rows.row(i))];
  const bool mixed = std::count(of_rank.begin(), of_rank.end(), 0U) + 1 < std::ssize(of_rank);
  if (parts_.size() == 1 && !mixed) return TakeAll();
  rows_.reserve(std::max(rows_.capacity(), rows.size()));
  bool first = exporter == 0;  // there is nothing to meet
  for (std::size_t rank = 0; rank < of_rank.size(); ++rank) {
    if (of_rank[rank] == 0) continue;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (names_.RankOf(rows.row(i)) != rank || IsShadow(exporter, i)) continue;
      names_.Complete(rows.row(i), exporter);
      const std::uint32_t at = first ? RowIndex::kNone : Find(rows.row(i), exporter);
      if (at == RowIndex::kNone) {
        AddRow(exporter, i);
      } else {
        FillRow(at, exporter, i);
      }
    }
    first = false;
  }
}

template <class RowT>
void Join<RowT>::CheckRow(RowT& row) {
  const auto before = row.readings;
  CheckTogether(row);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    // Those that were so alone are counted.
    if (row.readings.reason(slot) == NullReason::kInvalidValue && before.Has(slot)) {
      ++counts_.bad_value;
    }
    if (row.readings.reason(slot) == NullReason::kStale) ++counts_.stale;
    if (row.readings.reason(slot) == NullReason::kConflict) ++counts_.conflicts;
    if (failed_[slot] && !row.readings.Has(slot)) {
      row.readings.SetAbsent(slot, NullReason::kQueryFailed);
    }
  }
  Derive(row);
}

template <class RowT>
void Join<RowT>::NoteOwnQueries() {
  for (std::size_t e = 0; e < parts_.size(); ++e) {
    for (const schema::Metric& metric : exporters_[e]->metrics(kIsProcess)) {
      if (!metric.own_query || !contributions_.AllHave(e, metric.slot, rows_)) continue;
      shown_by_all_.insert({e, metric.slot});
    }
  }
}

template <class RowT>
void Join<RowT>::StateReasons() {
  RowT blank;
  CheckRow(blank);
  if constexpr (kIsProcess) {
    snapshot_->missing_process = SharedReasons<RowT, kSlots>(rows_, blank);
  } else {
    snapshot_->missing_gpu = SharedReasons<RowT, kSlots>(rows_, blank);
  }
}

template <class RowT>
void Join<RowT>::StateWarnings() {
  snapshot_->warnings.assign(warnings_.begin(), warnings_.end());
  for (auto& text : WarningsOf(counts_)) snapshot_->warnings.push_back(std::move(text));
}

template <class RowT>
std::shared_ptr<models::Snapshot> Join<RowT>::Finish(CommandStyle commands,
                                                     const TargetMemory* memory) {
  for (const auto& part : parts_) part->Settle(missed_.down());
  for (const auto& gpus : devices_) gpus->Settle(missed_.down());
  if constexpr (!kIsProcess) shadows_ = FindShadows(exporters_, parts_);
  names_.Learn(parts_, devices_);
  for (std::size_t i = 0; i < parts_.size(); ++i) Take(i);
  contributions_.Mark(rows_);
  for (const ShadowRow& one : shadows_) {
    contributions_.Add(one.exporter, one.row, contributions_.PlaceOf(one.of, one.of_row));
  }
  DeriveAll();
  for (auto& one : snapshot_->coverage) one.percent = evidence_.AnyIsPercent(one.metric);
  if constexpr (!kIsProcess) NameInstances(rows_);
  missed_.NoteShown(parts_, contributions_, rows_, memory);
  missed_.Explain(parts_, memory, rows_, warnings_, snapshot_->lost);
  if constexpr (!kIsProcess) ExplainInstances(rows_);
  for (RowT& row : rows_) {
    CheckRow(row);
    if (row.text(Text::kNode).empty()) ++counts_.no_node_label;
  }
  counts_.stale -= missed_.stale();  // they are not shown as null, they are gone
  if constexpr (kIsProcess) {
    counts_.bad_value += names_.NameGpus(rows_);
    ShowCommands(rows_, commands, snapshot_->arena);
  } else {
    counts_.bad_value += DropBeyond(rows_, held_);
    counts_.scaled = FitWorkloads(rows_, held_);
  }
  NoteOwnQueries();
  counts_.twice = twice_.size();
  counts_.moved = names_.moved();
  if constexpr (!kIsProcess) {
    if (recorder_ != nullptr) recorder_->Joined(rows_, counts_);
  }
  Remove(twice_, rows_, held_);
  StateReasons();
  StateWarnings();
  if constexpr (kIsProcess) {
    snapshot_->processes = InOrder(rows_, std::move(held_), snapshot_->workloads);
  } else {
    snapshot_->gpus = InOrder(rows_, std::move(held_), snapshot_->workloads);
  }
  rows_ = {};
  return std::move(snapshot_);
}

template class Join<models::GpuMetrics>;
template class Join<models::GpuProcess>;

}  // namespace gpumon::gpu
