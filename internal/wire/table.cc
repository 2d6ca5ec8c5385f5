#include "internal/wire/table.h"

#include <algorithm>
#include <cmath>

namespace gpumon::wire {
namespace {

using models::FieldSpec;
using models::From;
using models::NullReason;
using models::Text;

// Counts beyond 2^63 are none.
std::int64_t ToInteger(double value) {
  constexpr double kBeyond = 9.2e18;
  return static_cast<std::int64_t>(std::clamp(std::round(value), -kBeyond, kBeyond));
}

bool IsReading(From from) {
  return from == From::kReading || from == From::kInteger || from == From::kThrottle;
}

bool IsCommand(const FieldSpec& field) {
  return field.from == From::kText && field.slot == static_cast<std::size_t>(Text::kCommand);
}

template <class RowT>
Cell CellOf(const RowT& row, const FieldSpec& field, double as_of) {
  Cell cell;
  switch (field.from) {
    case From::kReading:
      if (row.readings.Has(field.slot)) {
        cell.type = Cell::Type::kNumber;
        cell.number = *row.readings.Get(field.slot) * field.scale;
      }
      break;
    case From::kInteger:
    case From::kThrottle:
      if (row.readings.Has(field.slot)) {
        const bool mask = field.from == From::kThrottle;
        cell.type = mask ? Cell::Type::kThrottle : Cell::Type::kInteger;
        cell.integer = ToInteger(*row.readings.Get(field.slot));
      }
      break;
    case From::kMig:
      if (!row.text(Text::kMigGpuInstance).empty() || !row.text(Text::kMigUuid).empty()) {
        cell.type = Cell::Type::kMig;
      }
      break;
    case From::kText:
      cell.text = row.texts[field.slot];
      if (!cell.text.empty()) cell.type = Cell::Type::kText;
      break;
    case From::kGpuIndex:
      cell.integer = row.gpu_index;
      if (row.gpu_index != RowT::kNoIndex) cell.type = Cell::Type::kInteger;
      break;
    case From::kPid:
      cell.integer = row.pid;
      cell.type = Cell::Type::kInteger;
      break;
    case From::kTimestamp:
      cell.number = row.newest;
      if (!std::isnan(row.newest)) cell.type = Cell::Type::kTime;
      break;
    case From::kAge:
      // A clock that runs ahead of Prometheus's does not make samples come from the future.
      cell.number = std::max(0.0, std::round((as_of - row.oldest) * 1000) / 1000);
      if (!std::isnan(row.oldest)) cell.type = Cell::Type::kNumber;
      break;
    case From::kWorkloads:
      if (row.holder_reason() == NullReason::kNone) cell.type = Cell::Type::kWorkloads;
      break;
    case From::kReasons:
      cell.type = Cell::Type::kReasons;
      break;
  }
  return cell;
}

// Who holds the GPU, or, of a process, the pod that it is in.
bool IsOfHolder(const FieldSpec& field) {
  if (field.from == From::kWorkloads) return true;
  const auto is = [&field](Text text) { return field.slot == static_cast<std::size_t>(text); };
  return field.from == From::kText &&
         (is(Text::kNamespace) || is(Text::kPod) || is(Text::kContainer));
}

template <class RowT>
NullReason ReasonOf(const RowT& row, const FieldSpec& field) {
  // A whole GPU is no MIG instance: nothing is missing.
  if (field.from == From::kMig) return NullReason::kNone;
  // An id that is no index, like "abc" or "007".
  if (field.from == From::kGpuIndex && !row.text(Text::kGpuId).empty()) {
    return NullReason::kNotSupported;
  }
  const bool lost = field.from == From::kText       ? row.has_lost(static_cast<Text>(field.slot))
                    : field.from == From::kGpuIndex ? row.has_lost(Text::kGpuId)
                                                    : false;
  if (lost) return NullReason::kExporterDown;
  if (IsOfHolder(field) && row.holder_reason() != NullReason::kNone) return row.holder_reason();
  return NullReason::kNotExported;
}

}  // namespace

std::span<const FieldSpec> FieldsOf(models::Part part) {
  if (part == models::Part::kGpus) return models::kGpuFields;
  return models::kProcessFields;
}

int FindField(models::Part part, std::string_view name) {
  const auto fields = FieldsOf(part);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Table::Table(const models::Snapshot& snapshot, bool commands_hidden)
    : snapshot_(snapshot),
      fields_(FieldsOf(snapshot.part)),
      rows_(snapshot.gpus.size() + snapshot.processes.size()),
      commands_hidden_(commands_hidden),
      shown_(fields_.size(), false),
      shared_(fields_.size(), NullReason::kNone) {
  Survey();
}

NullReason Table::EmptyReason(const FieldSpec& field) const {
  if (!IsReading(field.from)) return NullReason::kNone;
  return snapshot_.part == models::Part::kGpus ? snapshot_.missing_gpu[field.slot]
                                               : snapshot_.missing_process[field.slot];
}

void Table::Survey() {
  struct Seen {
    std::size_t nulls = 0;
    bool some = false;    // a value, or a pod that holds the GPU
    bool missed = false;  // somebody offers it, though no row has it
    bool gone = false;    // somebody offered it
    NullReason common = NullReason::kNone;
  };
  std::vector<Seen> seen(fields_.size());
  for (std::size_t f = 0; f < fields_.size(); ++f) {
    seen[f].common = rows_ == 0 ? EmptyReason(fields_[f]) : reason(0, f);
  }
  // Row by row, as they lie in memory.
  for (std::size_t r = 0; r < rows_; ++r) {
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      const From from = fields_[f].from;
      if (from == From::kReasons) continue;
      const NullReason why = reason(r, f);
      Seen& of = seen[f];
      if (why != NullReason::kNone) ++of.nulls;
      of.missed |= why != NullReason::kNone && why != NullReason::kNotExported;
      of.gone |= why == NullReason::kExporterDown || why == NullReason::kQueryFailed;
      if (why != of.common) of.common = NullReason::kNone;
      if (from == From::kWorkloads) of.some |= !workloads(r).empty();
      if (from == From::kMig) of.some |= !cell(r, f).is_null();
    }
  }
  std::size_t reasons_field = fields_.size();
  bool some_row_has_reasons = false;
  for (std::size_t f = 0; f < fields_.size(); ++f) {
    const From from = fields_[f].from;
    const Seen& of = seen[f];
    shown_[f] = fields_[f].always;
    if (from == From::kReasons) {
      reasons_field = f;
      continue;
    }
    if (from == From::kWorkloads) {
      shown_[f] = of.gone || of.some;
    } else if (from == From::kMig) {
      shown_[f] = shown_[f] || of.some;
    } else if (of.nulls < rows_ || of.gone || (of.missed && IsReading(from))) {
      shown_[f] = true;
    }
    // What one of these rows could have is said in each row that lacks it.
    const bool said_once =
        of.common == NullReason::kNotExported || of.common == NullReason::kHidden;
    shared_[f] = said_once ? of.common : NullReason::kNone;
    if (shown_[f] && of.nulls > 0 && !said_once) some_row_has_reasons = true;
  }
  if (reasons_field < fields_.size()) shown_[reasons_field] = some_row_has_reasons;
}

Cell Table::cell(std::size_t row, std::size_t field) const {
  if (fields_[field].from == From::kWorkloads && workloads(row).empty()) {
    // All who show it never say a word of pods.
    const std::uint32_t shown_by = exporters(row);
    if (shown_by != 0 && (shown_by & snapshot_.pod_tellers) == 0) return {};
  }
  return snapshot_.part == models::Part::kGpus
             ? CellOf(snapshot_.gpus[row], fields_[field], snapshot_.as_of)
             : CellOf(snapshot_.processes[row], fields_[field], snapshot_.as_of);
}

NullReason Table::reason(std::size_t row, std::size_t field) const {
  if (IsReading(fields_[field].from)) {
    const std::size_t slot = fields_[field].slot;
    return snapshot_.part == models::Part::kGpus ? snapshot_.gpus[row].readings.reason(slot)
                                                 : snapshot_.processes[row].readings.reason(slot);
  }
  if (!cell(row, field).is_null()) return NullReason::kNone;
  const From from = fields_[field].from;
  if (snapshot_.times_failed && (from == From::kTimestamp || from == From::kAge)) {
    return NullReason::kQueryFailed;
  }
  if ((from == From::kTimestamp || from == From::kAge) && HasBadTime(row)) {
    return NullReason::kInvalidValue;
  }
  if (commands_hidden_ && IsCommand(fields_[field])) return NullReason::kHidden;
  if (snapshot_.texts_failed && from == From::kText) return NullReason::kQueryFailed;
  return snapshot_.part == models::Part::kGpus ? ReasonOf(snapshot_.gpus[row], fields_[field])
                                               : ReasonOf(snapshot_.processes[row], fields_[field]);
}

std::span<const models::Workload> Table::workloads(std::size_t row) const {
  if (snapshot_.part != models::Part::kGpus) return {};
  const models::GpuMetrics& gpu = snapshot_.gpus[row];
  return std::span(snapshot_.workloads).subspan(gpu.first_workload, gpu.workload_count);
}

std::uint32_t Table::exporters(std::size_t row) const {
  return snapshot_.part == models::Part::kGpus ? snapshot_.gpus[row].exporters
                                               : snapshot_.processes[row].exporters;
}

std::string_view Table::text(std::size_t row, Text which) const {
  const auto slot = static_cast<std::size_t>(which);
  if (snapshot_.part == models::Part::kProcesses) return snapshot_.processes[row].texts[slot];
  return slot < models::kGpuTexts ? snapshot_.gpus[row].texts[slot] : std::string_view();
}

}  // namespace gpumon::wire
