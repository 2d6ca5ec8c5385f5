// Who holds GPUs at one instant, found when somebody asks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/fleet/events.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// One thread at a time.
class EventOwners {
 public:
  // Both must outlive it; `processes` may be null.
  EventOwners(const models::Snapshot& gpus, const models::Snapshot* processes)
      : gpus_(gpus), processes_(processes) {}

  // Of all rows whose board (by row) that is.
  Owners Of(const std::vector<std::size_t>& boards, std::size_t board);
  // Of the GPU with this UUID on this node, or, where it has none, with this id.
  Owners OfGpu(std::string_view node, std::string_view uuid, std::string_view gpu_id);

 private:
  const models::Snapshot& gpus_;
  const models::Snapshot* const processes_;
  // By row of `gpus_`: the processes on it, by their place.
  std::optional<std::vector<std::vector<std::size_t>>> on_;
};

}  // namespace gpumon::fleet
