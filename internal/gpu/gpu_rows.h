// Which GPU a process is on.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include "models/gpu.h"

namespace gpumon::gpu {

// Of a GPU or an instance: the node, its UUID or else its id, and the instance.
using GpuKey = std::array<std::string_view, 4>;

// The rows that processes may be on, which must outlive this. Immutable.
class GpuRows {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  explicit GpuRows(const std::vector<models::GpuMetrics>& rows);
  // Its place among the rows; kNone where there is none, or several may be.
  std::size_t Find(const models::GpuProcess& process) const;

  template <class RowT>
  static GpuKey PlaceOf(const RowT& row) {
    using models::Text;
    return {row.text(Text::kNode), row.text(Text::kGpuId), row.text(Text::kMigGpuInstance),
            row.text(Text::kMigComputeInstance)};
  }

 private:
  void Add(const GpuKey& key, std::size_t row);
  std::size_t At(const GpuKey& key) const;

  std::map<GpuKey, std::size_t> rows_;
};

}  // namespace gpumon::gpu
