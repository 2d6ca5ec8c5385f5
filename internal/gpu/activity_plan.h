// Which PromQL finds out where in a range something happens to GPUs. Their number depends on the
// exporters that are there, never on the GPUs or on the range.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "internal/gpu/activity.h"
#include "internal/gpu/plan.h"

namespace gpumon::gpu {

// Seconds; no cell is shorter, and the time between scrapes is found in so much.
inline constexpr double kShortestCell = 300;

struct ActivityQuery {
  enum class Gives : std::uint8_t {
    kSamples,      // how many samples of its marks each GPU has in a cell, by target and names
    kActive,       // targets with a GPU that something happens to in a cell
    kUp,           // how many scrapes of each target in a cell there were
    kMostScrapes,  // of the target with most of them, in kShortestCell
    kMostInMinute,
    kUpAndWell,  // how many of each gave anything
    kGone        // when each GPU was shown before the start that is not shown at it, by target
  };

  std::string name;  // for metrics and logs
  std::string promql;
  Gives gives = Gives::kActive;
  std::size_t exporter = 0;  // its place among the subjects
};

// Whether it is known which scrape jobs the GPU exporters are targets of.
bool JobsAreKnown(std::span<const Subject> subjects);

// To be asked as range queries at the ends of cells of `cell` seconds.
std::vector<ActivityQuery> PlanActivity(std::span<const Subject> subjects, const ActivityWant& want,
                                        double cell);

// To be asked as instant queries at GoneAt: who was shown within ActivityWant::before (where the
// target is gone too: within an hour), and is not at the start, or has no sample right after it.
std::vector<ActivityQuery> PlanGone(std::span<const Subject> subjects, const ActivityWant& want);
double GoneAt(const ActivityWant& want);

// Those of these targets whose process was started less than `starting` seconds before an instant.
std::string YoungOfInstances(const std::vector<std::string>& instances, double starting);

// The `up` of these targets (values of the label `instance`).
std::string UpOfInstances(const std::vector<std::string>& instances);

}  // namespace gpumon::gpu
