// GPUs of one node that share an id.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "internal/gpu/identity.h"
#include "internal/gpu/mix.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// Which GPU an id means, when rows without a UUID look for theirs.
class ClaimedIds {
 public:
  // RowT is models::GpuMetrics or models::GpuProcess. Its texts must outlive this.
  template <class RowT>
  void Add(const RowT& row) {
    const std::string_view uuid = row.text(models::Text::kUuid);
    // A MIG instance stands under the id of its GPU.
    if (uuid.empty() || IsMigUuid(uuid)) return;
    const auto [known, is_new] = uuids_.try_emplace(KeyOf(row), uuid);
    if (!is_new && known->second != uuid) known->second = {};
  }
  // Its node shows several UUIDs under its id.
  template <class RowT>
  bool AreSeveral(const RowT& row) const {
    const auto found = uuids_.find(KeyOf(row));
    return found != uuids_.end() && found->second.empty();
  }

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // node, id
  struct Hash {
    std::size_t operator()(const Key& key) const {
      const std::hash<std::string_view> hash;
      return Mix(Mix(hash(key.first)) + hash(key.second));
    }
  };
  template <class RowT>
  static Key KeyOf(const RowT& row) {
    return {row.text(models::Text::kNode), row.text(models::Text::kGpuId)};
  }

  std::unordered_map<Key, std::string_view, Hash> uuids_;  // empty: several
};

}  // namespace gpumon::gpu
