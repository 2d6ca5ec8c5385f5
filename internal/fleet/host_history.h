// One reading of machines with GPUs over time.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "internal/fleet/history.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// One thread at a time. Of a machine `mean` is what it had at each instant; of the fleet it is the
// mean of the machines that are known. Nobody tells `least` and `most` between instants, and no
// line counts GPUs.
class HostHistory {
 public:
  using Passes = std::function<bool(std::string_view node)>;

  // `by` is kNode or kFleet.
  HostHistory(HistoryBy by, models::NodeQuantity quantity, std::size_t instants, Passes passes);

  // A snapshot of Part::kNodes.
  void Add(std::size_t instant, const models::Snapshot& nodes);
  // By name, of those that had a GPU at some instant; without lines that have no value. Once, last.
  std::vector<HistoryLine> Finish();

 private:
  struct Machine {
    bool has_gpus = false;
    std::vector<double> values;  // by instant
  };

  HistoryLine LineOf(const std::vector<const Machine*>& machines) const;

  const HistoryBy by_;
  const models::NodeQuantity quantity_;
  const std::size_t instants_;
  const Passes passes_;
  std::map<std::string, Machine, std::less<>> machines_;
};

}  // namespace gpumon::fleet
