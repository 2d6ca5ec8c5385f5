// Parts of a GPU: MIG instances.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

bool IsInstance(const models::GpuMetrics& row);

// By row: that of its GPU, or, where that has none, of its first MIG instance. A board is known by
// its UUID and node, else by node and id.
std::vector<std::size_t> BoardsOf(const std::vector<models::GpuMetrics>& rows);

// Each GPU once: its own row, or, where it has none, that of its first MIG instance. Into
// `rows`.
std::vector<const models::GpuMetrics*> WholeGpus(const std::vector<models::GpuMetrics>& rows);

// Which compute instances the GPU instances of a cluster have.
class ComputeInstances {
 public:
  // Its texts must outlive this.
  void Add(const models::GpuMetrics& row);
  // That of a row which names a GPU instance and no compute instance of it: the only one there is.
  // Empty where there are several: what is measured of all of them is no one's.
  std::string_view OnlyOneOf(const models::GpuMetrics& row) const;

 private:
  using Place = std::array<std::string_view, 4>;
  static Place PlaceOf(const models::GpuMetrics& row);

  std::map<Place, std::string_view> only_;  // empty: several
};

// Which instance of which GPU a MIG UUID is, where others name it by that alone.
class InstanceUuids {
 public:
  // Its texts must outlive this.
  void Add(const models::GpuMetrics& row);
  // Such a row gets the UUID of its GPU and the ids of its instance, unless several are told.
  void Name(models::GpuMetrics& row) const;
  // A row that names a MIG UUID and no GPU's.
  static bool IsAlone(const models::GpuMetrics& row);
  // Name would give it one.
  bool Knows(const models::GpuMetrics& row) const;
  // A row that Name does not help, of a GPU with an instance whose MIG UUID nobody tells: they may
  // be one.
  bool MayBeAnother(const models::GpuMetrics& row) const;

 private:
  using Instance = std::array<std::string_view, 3>;  // GPU's UUID, GPU and compute instance
  using Place = std::array<std::string_view, 3>;     // node, GPU's id, GPU instance

  std::unordered_map<std::string_view, Instance> instances_;  // no GPU's UUID: several are told
  std::map<Place, bool> have_uuids_;
};

// An instance is a part of the GPU whose UUID it shows, or, where one of them shows none, whose
// node and id: it gets the texts of that GPU's row where it has none, and that GPU is divided.
void NameInstances(std::vector<models::GpuMetrics>& rows);

// After it, and after what is known of targets that are down: a GPU that is divided, with or
// without rows of its instances, has no utilization of its own, nor of its memory controller,
// encoder and decoder (kNotSupported); nor has an instance that nobody shows them of.
void ExplainInstances(std::vector<models::GpuMetrics>& rows);

}  // namespace gpumon::gpu
