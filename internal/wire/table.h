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

// Immutable; the snapshot must outlive it.
class Table {
 public:
  explicit Table(const models::Snapshot& snapshot);

  const models::Snapshot& snapshot() const { return snapshot_; }
  std::span<const models::FieldSpec> fields() const { return fields_; }
  std::size_t size() const { return rows_; }
  Cell cell(std::size_t row, std::size_t field) const;
  // Why that cell is null; kNone when it is not.
  models::NullReason reason(std::size_t row, std::size_t field) const;
  // The reason that every row shares for this field: said once, not in each row. kNone otherwise.
  models::NullReason shared_reason(std::size_t field) const { return shared_[field]; }
  // The field stands in the rows of this snapshot.
  bool shown(std::size_t field) const { return shown_[field]; }

  // The pods that hold the GPU of that row; none for a process.
  std::span<const models::Workload> workloads(std::size_t row) const;
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
  std::vector<bool> shown_;
  std::vector<models::NullReason> shared_;
};

}  // namespace gpumon::wire
