// Pods that ask for GPUs and the Jobs that made them, from their submission to their end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// In the order in which they are asked.
enum class TaskQuery : std::uint8_t {
  kPods,     // PodsQuery
  kDetails,  // what else is known of these pods
  kJobs      // of the Jobs that made them
};
inline constexpr std::size_t kTaskQueries = 3;
std::string_view NameOf(TaskQuery query);
std::string PromqlOf(TaskQuery query);

// By TaskQuery; null: the query failed.
using TaskAnswers = std::array<const prom::InstantVector*, kTaskQueries>;

// Fills `snapshot.tasks`, sorted, the same in any order of the series. What several
// kube-state-metrics say of one pod or Job is one row. A Job is there as long as one of its pods.
void ReadTasks(const TaskAnswers& answers, models::Snapshot& snapshot);

}  // namespace gpumon::gpu
