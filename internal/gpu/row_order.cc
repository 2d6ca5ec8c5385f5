#include "internal/gpu/row_order.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "internal/gpu/held_workloads.h"

namespace gpumon::gpu {
namespace {

using models::Text;

struct Place {
  std::uint64_t node_and_index;  // no index, being negative, comes last
  std::uint32_t row;
};

// Node names are compared once per node, not at each step of the sort.
template <class RowT>
std::vector<Place> PlacesOf(const std::vector<RowT>& rows) {
  std::unordered_map<std::string_view, std::uint32_t> ranks;
  std::vector<std::string_view> nodes;
  for (const RowT& row : rows) {
    if (ranks.try_emplace(row.text(Text::kNode)).second) nodes.push_back(row.text(Text::kNode));
  }
  std::sort(nodes.begin(), nodes.end(), [](std::string_view a, std::string_view b) {
    return std::tuple(a.empty(), a) < std::tuple(b.empty(), b);
  });
  for (std::uint32_t i = 0; i < nodes.size(); ++i) ranks[nodes[i]] = i;
  std::vector<Place> places(rows.size());
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(rows[i].gpu_index);
    places[i] = {(std::uint64_t{ranks[rows[i].text(Text::kNode)]} << 32U) | index, i};
  }
  return places;
}

}  // namespace

template <class RowT>
void Remove(const std::vector<std::uint32_t>& places, std::vector<RowT>& rows,
            std::vector<std::vector<models::Workload>>& held) {
  if (places.empty()) return;
  std::size_t kept = 0;
  auto next = places.begin();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (next != places.end() && *next == i) {
      ++next;
      continue;
    }
    if (kept != i) {
      rows[kept] = rows[i];
      held[kept] = std::move(held[i]);
    }
    ++kept;
  }
  rows.resize(kept);
  held.resize(kept);
}

template <class RowT>
std::vector<RowT> InOrder(const std::vector<RowT>& rows,
                          std::vector<std::vector<models::Workload>> held,
                          std::vector<models::Workload>& workloads) {
  std::vector<Place> places = PlacesOf(rows);
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.node_and_index != b.node_and_index) return a.node_and_index < b.node_and_index;
    const auto order = [](const RowT& row) {
      const std::string_view instance = row.text(Text::kMigGpuInstance);
      const std::string_view compute = row.text(Text::kMigComputeInstance);
      // Known by its MIG UUID alone, behind its GPU.
      const bool part = instance.empty() && !row.text(Text::kMigUuid).empty();
      // "2" before "10".
      return std::tuple(row.text(Text::kGpuId), row.pid, part, row.text(Text::kUuid),
                        instance.size(), instance, compute.size(), compute,
                        row.text(Text::kMigUuid), row.text(Text::kSource));
    };
    return order(rows[a.row]) < order(rows[b.row]);
  });
  std::vector<RowT> sorted;
  sorted.reserve(rows.size());
  for (const Place& place : places) {
    RowT& row = sorted.emplace_back(rows[place.row]);
    auto& holders = held[place.row];
    SortWorkloads(holders);
    if (!holders.empty()) {
      row.set_text(Text::kNamespace, holders.front().name_space);
      row.set_text(Text::kPod, holders.front().pod);
      row.set_text(Text::kContainer, holders.front().container);
    }
    row.first_workload = static_cast<std::uint32_t>(workloads.size());
    row.workload_count = static_cast<std::uint32_t>(holders.size());
    workloads.insert(workloads.end(), holders.begin(), holders.end());
  }
  return sorted;
}

template void Remove(const std::vector<std::uint32_t>&, std::vector<models::GpuMetrics>&,
                     std::vector<std::vector<models::Workload>>&);
template void Remove(const std::vector<std::uint32_t>&, std::vector<models::GpuProcess>&,
                     std::vector<std::vector<models::Workload>>&);
template std::vector<models::GpuMetrics> InOrder(const std::vector<models::GpuMetrics>&,
                                                 std::vector<std::vector<models::Workload>>,
                                                 std::vector<models::Workload>&);
template std::vector<models::GpuProcess> InOrder(const std::vector<models::GpuProcess>&,
                                                 std::vector<std::vector<models::Workload>>,
                                                 std::vector<models::Workload>&);

}  // namespace gpumon::gpu
