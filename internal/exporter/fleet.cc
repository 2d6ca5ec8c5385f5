#include "internal/exporter/fleet.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace gpumon::exporter {
namespace {

constexpr std::array kTraits = {
    Trait::kHot,       Trait::kIdleHeld, Trait::kNoProcesses, Trait::kNoTemperature,
    Trait::kVanishing, Trait::kXid,      Trait::kEcc};

// Every GPU's trait, spread over the fleet. At least two GPUs apart, so no GPU gets two.
std::vector<Trait> DealTraits(const FleetOptions& options) {
  const auto total =
      static_cast<std::size_t>(options.nodes) * static_cast<std::size_t>(options.gpus_per_node);
  std::vector<Trait> traits(total, Trait::kNone);
  const std::size_t count = std::min(kTraits.size(), total / 2);
  const std::size_t from = Below(Mix(options.seed), 11, total);
  for (std::size_t i = 0; i < count; ++i) traits[(from + i * total / count) % total] = kTraits[i];
  return traits;
}

// The first GPUs of a fleet and its odd ones want a data-centre board, which reports everything.
const GpuModel& ModelOf(const std::vector<Trait>& traits, std::uint64_t hash) {
  const auto models = GpuModels();
  const bool odd =
      std::any_of(traits.begin(), traits.end(), [](Trait trait) { return trait != Trait::kNone; });
  if (odd) return models[Below(hash, 12, 2)];
  const std::uint64_t draw = Below(hash, 13, 10);
  return models[draw < 5 ? 0 : draw < 8 ? 1 : draw < 9 ? 2 : 3];
}

}  // namespace

Recurring ThrottleEpisode(std::uint64_t seed) {
  return {.period = 600, .begin = 420, .end = 600, .offset = std::floor(Between(seed, 21, 0, 600))};
}

Recurring Absence(std::uint64_t seed) {
  return {.period = 720, .begin = 540, .end = 720, .offset = std::floor(Between(seed, 22, 0, 720))};
}

Result<Fleet> Fleet::Make(const FleetOptions& options) {
  if (options.nodes < 1 || options.nodes > kMaxFleetGpus) {
    return Error(Code::kInvalidParameter,
                 "--nodes is " + std::to_string(options.nodes) + "; allowed: 1 to 100000");
  }
  if (options.gpus_per_node < 1 || options.gpus_per_node > kMaxGpusPerNode) {
    return Error(
        Code::kInvalidParameter,
        "--gpus-per-node is " + std::to_string(options.gpus_per_node) + "; allowed: 1 to 1024");
  }
  const std::int64_t total = std::int64_t{options.nodes} * options.gpus_per_node;
  if (total > kMaxFleetGpus) {
    return Error(Code::kInvalidParameter, "--nodes times --gpus-per-node is " +
                                              std::to_string(total) +
                                              " GPUs; allowed: at most 100000");
  }
  return Fleet(options);
}

Fleet::Fleet(const FleetOptions& options) : options_(options) {
  const std::vector<Trait> traits = DealTraits(options);
  nodes_.reserve(static_cast<std::size_t>(options.nodes));
  for (int n = 0; n < options.nodes; ++n) {
    const int first = n * options.gpus_per_node;
    const std::vector<Trait> mine(traits.begin() + first,
                                  traits.begin() + first + options.gpus_per_node);
    std::vector<int> pool;
    for (int i = 0; i < options.gpus_per_node; ++i) {
      if (!IsStanding(mine[static_cast<std::size_t>(i)])) pool.push_back(i);
    }
    const std::uint64_t hash = Mix(options.seed, static_cast<std::uint64_t>(n));
    NodeSchedule schedule(hash, static_cast<int>(pool.size()));
    nodes_.push_back(NodeSpec{.name = "gpu-node-" + std::to_string(n + 1),
                              .hash = hash,
                              .model = &ModelOf(mine, hash),
                              .first_gpu = first,
                              .traits = mine,
                              .pool = std::move(pool),
                              .schedule = std::move(schedule)});
  }
}

}  // namespace gpumon::exporter
