// What rows of a join are found by. RowT is models::GpuMetrics or models::GpuProcess.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "internal/gpu/identity.h"
#include "internal/gpu/mix.h"
#include "models/gpu.h"

namespace gpumon::gpu {

inline std::size_t InstanceHash(const models::GpuMetrics& row) {
  const std::hash<std::string_view> hash;
  if (row.text(models::Text::kMigGpuInstance).empty()) return 0;
  return Mix(hash(row.text(models::Text::kMigGpuInstance))) +
         hash(row.text(models::Text::kMigComputeInstance));
}
// Of a process not every exporter tells the instance.
inline std::size_t InstanceHash(const models::GpuProcess&) {
  return 0;
}

template <class RowT>
std::size_t RowHash(const RowT& row, std::string_view first, std::string_view second) {
  const std::hash<std::string_view> hash;
  const std::size_t instance = InstanceHash(row);
  return Mix(Mix(hash(first)) + hash(second)) + Mix(instance ^ static_cast<std::size_t>(row.pid));
}

template <class RowT>
bool SameInstance(const RowT& one, const RowT& other) {
  using models::Text;
  return one.text(Text::kMigGpuInstance) == other.text(Text::kMigGpuInstance) &&
         one.text(Text::kMigComputeInstance) == other.text(Text::kMigComputeInstance);
}

// The same, or one of them does not tell it.
template <class RowT>
bool InstancesAgree(const RowT& one, const RowT& other) {
  using models::Text;
  return Agree(one.text(Text::kMigGpuInstance), other.text(Text::kMigGpuInstance)) &&
         Agree(one.text(Text::kMigComputeInstance), other.text(Text::kMigComputeInstance));
}

// By its UUID, its MIG instance (of a GPU) and its pid.
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
