// A snapshot's rows as a table of cells: what JSON, CSV, filters and sorting all loop over.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/fields.h"
#include "models/gpu.h"

namespace gpumon::wire {

// One value. Views live as long as the snapshot.
struct Cell {
  enum class Type : std::uint8_t {
    kNull,
    kNumber,
    kInteger,
    kText,
    kTime,
    kThrottle,  // integer: the mask
    kMig,
    kWorkloads,
    kReasons
  };

  Type type = Type::kNull;
  double number = 0;  // kNumber; kTime: Unix seconds
  std::int64_t integer = 0;
  std::string_view text;

  bool is_null() const { return type == Type::kNull; }
  bool is_numeric() const { return type == Type::kNumber || type == Type::kInteger; }
  // kNumber, kInteger and kTime as one scale.
  double AsNumber() const { return type == Type::kInteger ? static_cast<double>(integer) : number; }
};

std::span<const models::FieldSpec> FieldsOf(models::Part part);
// The place of the field of that name, or -1.
int FindField(models::Part part, std::string_view name);

// Immutable; the snapshot must outlive it. Commands that are absent since PROCESS_COMMANDS hides
// them have that reason: whether an exporter offers them is not told either.
class Table {
 public:
  explicit Table(const models::Snapshot& snapshot, bool commands_hidden = false);

  const models::Snapshot& snapshot() const { return snapshot_; }
  std::span<const models::FieldSpec> fields() const { return fields_; }
  std::size_t size() const { return rows_; }
  Cell cell(std::size_t row, std::size_t field) const;
  // Why that cell is null; kNone when it is not.
  models::NullReason reason(std::size_t row, std::size_t field) const;
  // The reason that every row shares for this field, where it is one that no row could be without:
  // said once, not in each row. kNone otherwise.
  models::NullReason shared_reason(std::size_t field) const { return shared_[field]; }
  // The field stands in the rows of this snapshot.
  bool shown(std::size_t field) const { return shown_[field]; }

  // The pods that hold the GPU of that row; none for a process.
  std::span<const models::Workload> workloads(std::size_t row) const;
  // models::Row::exporters of that row.
  std::uint32_t exporters(std::size_t row) const;
  // The texts of a row, for filters; empty where the row has none.
  std::string_view text(std::size_t row, models::Text which) const;

 private:
  bool HasBadTime(std::size_t row) const {
    return snapshot_.part == models::Part::kGpus ? snapshot_.gpus[row].bad_time
                                                 : snapshot_.processes[row].bad_time;
  }
  models::NullReason EmptyReason(const models::FieldSpec& field) const;
  void Survey();

  const models::Snapshot& snapshot_;
  const std::span<const models::FieldSpec> fields_;
  const std::size_t rows_;
  const bool commands_hidden_;
  std::vector<bool> shown_;
  std::vector<models::NullReason> shared_;
};

}  // namespace gpumon::wire
