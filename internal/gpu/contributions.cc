#include "internal/gpu/contributions.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace gpumon::gpu {
namespace {

using models::NullReason;
using models::Text;

}  // namespace

template <class RowT>
void Contributions<RowT>::Add(std::size_t exporter, std::size_t i, std::uint32_t at) {
  places_[exporter][i] = at;
}

template <class RowT>
void Contributions<RowT>::AddAll() {
  std::iota(places_.front().begin(), places_.front().end(), 0U);
}

template <class RowT>
void Contributions<RowT>::NoteShown(std::size_t exporter, const std::string& name,
                                    const RowTimes& times, const DownTargets& down,
                                    const std::vector<RowT>& rows,
                                    std::set<TargetMemory::Shown>& shown) const {
  // One target's rows mostly stand together, and so do one node's.
  std::size_t last_target = 0;
  std::string_view last_node;
  times.ForEach([&](std::uint32_t row, std::size_t target, std::uint64_t fields) {
    const std::string_view node = rows[places_[exporter][row]].text(Text::kNode);
    // Of a target that is down what is still there, with time stamps of its own, is not all.
    if (node.empty() || down.Has(target)) return;
    if (target == last_target && node == last_node) return;
    shown.insert({name, target, std::string(node), fields});
    last_target = target;
    last_node = node;
  });
}

template <class RowT>
void Contributions<RowT>::Miss(const DownTargets::Missed& missed, std::vector<RowT>& rows) {
  for (RowT& row : rows) {
    auto& readings = row.readings;
    if (missed.nodes.count(std::string(row.text(Text::kNode))) == 0) continue;
    for (std::size_t slot = 0; slot < readings.size(); ++slot) {
      const bool was_there = (missed.fields >> slot & 1U) != 0;
      if (was_there && readings.reason(slot) == NullReason::kNotExported) {
        readings.SetAbsent(slot, NullReason::kExporterDown);
      }
    }
  }
}

template class Contributions<models::GpuMetrics>;
template class Contributions<models::GpuProcess>;

}  // namespace gpumon::gpu
