// What rows of a join are found by. RowT is models::GpuMetrics or models::GpuProcess.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "internal/gpu/identity.h"
#include "internal/gpu/mix.h"
#include "models/gpu.h"

namespace gpumon::gpu {

template <class RowT>
std::size_t RowHash(const RowT& row, std::string_view first, std::string_view second) {
  const std::hash<std::string_view> hash;
  std::size_t instance = 0;
  if (!row.text(models::Text::kMigGpuInstance).empty()) {
    instance = Mix(hash(row.text(models::Text::kMigGpuInstance))) +
               hash(row.text(models::Text::kMigComputeInstance));
  }
  return Mix(Mix(hash(first)) + hash(second)) + Mix(instance ^ static_cast<std::size_t>(row.pid));
}

// By its UUID, its MIG instance and its pid.
template <class RowT>
std::size_t UuidHash(const RowT& row) {
  return RowHash(row, row.text(models::Text::kUuid), {});
}
// The same by its node and id.
template <class RowT>
std::size_t IdHash(const RowT& row) {
  return RowHash(row, row.text(models::Text::kNode), row.text(models::Text::kGpuId));
}

inline bool OneIsOfAPart(const models::GpuMetrics&, const models::GpuMetrics&) {
  return false;
}
// One of them is of an instance, the other of its GPU: the driver lists a process on a MIG instance
// with its GPU too.
inline bool OneIsOfAPart(const models::GpuProcess& one, const models::GpuProcess& other) {
  return IsMigUuid(one.text(models::Text::kUuid)) != IsMigUuid(other.text(models::Text::kUuid));
}

}  // namespace gpumon::gpu
