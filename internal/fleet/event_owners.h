// Who holds GPUs at one instant, found when somebody asks.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "internal/fleet/events.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// One thread at a time.
class EventOwners {
 public:
  // All must outlive it; `processes` may be null, `boards` is by row.
  EventOwners(const models::Snapshot& gpus, const models::Snapshot* processes,
              const std::vector<std::size_t>& boards)
      : gpus_(gpus), processes_(processes), boards_(boards) {}

  // Of all rows of that board.
  Owners Of(std::size_t board);

 private:
  void Find();

  const models::Snapshot& gpus_;
  const models::Snapshot* const processes_;
  const std::vector<std::size_t>& boards_;
  bool found_ = false;
  std::map<std::size_t, std::vector<std::size_t>> rows_;  // of boards that have several
  std::vector<std::vector<std::size_t>> on_;              // by row: processes, by their place
};

}  // namespace gpumon::fleet
