// What Events makes of one instant.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "internal/fleet/event_owners.h"
#include "internal/fleet/events.h"
#include "internal/gpu/mig.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// And what is worked out of it when somebody needs it.
struct Events::Instant {
  Instant(std::size_t its, double at, std::span<const models::SnapshotPtr> snapshots)
      : i(its),
        time(at),
        held{snapshots[0], snapshots[1]},
        gpus(*snapshots[0]),
        boards(gpu::BoardsOf(gpus.gpus)),
        owners(gpus, snapshots[1].get(), boards) {}

  const std::size_t i;
  const double time;
  const std::array<models::SnapshotPtr, 2> held;
  const models::Snapshot& gpus;
  const std::vector<std::size_t> boards;  // by row
  EventOwners owners;

  // Of its own row, or of its first instance that has it.
  std::optional<double> Of(std::size_t board, models::Quantity quantity) const {
    for (std::size_t row = board; row < boards.size() && boards[row] == board; ++row) {
      if (const auto value = gpus.gpus[row].readings.Get(static_cast<std::size_t>(quantity)))
        return value;
    }
    return std::nullopt;
  }
};

}  // namespace gpumon::fleet
