// One reading of GPUs over time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/range.h"
#include "models/gpu.h"

namespace gpumon::fleet {

enum class HistoryBy : std::uint8_t { kGpu, kNode, kModel, kFleet };

// What is asked for to tell the history of a reading: means, then the least, then the most.
std::vector<gpu::RangePart> HistoryParts(models::Quantity quantity);

// One GPU (or MIG instance), or all of a node, model or fleet. One number for each instant, NaN
// where nobody measured: gaps stay gaps.
struct HistoryLine {
  std::string node;
  std::string gpu_id;
  std::string gpu_name;
  std::string uuid;
  std::string mig_uuid;
  std::size_t gpus = 0;  // that gave any value
  std::vector<double> mean;
  std::vector<double> least;
  std::vector<double> most;
  std::vector<double> sum;    // of the means of the GPUs that are known
  std::vector<double> known;  // how many these are
};

// One thread at a time. Of several GPUs the mean is that of their means, and divided ones count
// once.
class History {
 public:
  using Passes = std::function<bool(const models::GpuMetrics&)>;

  // Values are shown times `scale`. `passes` chooses GPUs.
  History(HistoryBy by, models::Quantity quantity, double scale, std::size_t instants,
          Passes passes);

  // `snapshots` of HistoryParts.
  void Add(std::size_t instant, std::span<const models::SnapshotPtr> snapshots);
  // Sorted by node, id and instance. Lines without any value are left out. Once, last.
  std::vector<HistoryLine> Finish();

 private:
  using Name = std::array<std::string, 4>;
  // Who the row of a place was when there was one there last: mostly it is the same again.
  struct Recent {
    Name gpu;
    std::string model;
    HistoryLine* line = nullptr;
  };

  double Of(const models::GpuMetrics& row, double total) const;
  // Of the `place`th row.
  HistoryLine& LineOf(const models::GpuMetrics& row, std::size_t place);
  HistoryLine& NewLineOf(const models::GpuMetrics& row);
  void JoinNameless();

  const HistoryBy by_;
  const models::Quantity quantity_;
  const double scale_;
  const std::size_t instants_;
  const Passes passes_;
  std::map<Name, HistoryLine> lines_;
  std::map<Name, std::set<std::string>> gpus_;
  std::vector<Recent> recent_;  // by place
};

}  // namespace gpumon::fleet
