#include "internal/gpu/shadow_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;
using Rows = ExporterRows<GpuMetrics>;
using Names = std::set<std::string_view>;
using Key = std::array<std::string_view, 5>;

Names NamesOf(const schema::Exporter& exporter) {
  Names names;
  for (const schema::Metric& metric : exporter.gpu) names.insert(metric.name);
  return names;
}

Key KeyOf(const GpuMetrics& row) {
  return {row.text(Text::kNode), row.text(Text::kUuid), row.text(Text::kGpuId),
          row.text(Text::kMigGpuInstance), row.text(Text::kMigComputeInstance)};
}

// Whether any, or all, of what a row shows has one of these names.
struct Shown {
  bool any = false;
  bool all = true;
};
Shown ShownOf(const schema::Exporter& exporter, std::span<const std::uint8_t> shown,
              const Names& names) {
  Shown is;
  for (const std::uint8_t metric : shown) {
    if (metric == Rows::kNoMetric) continue;
    const bool has = names.contains(exporter.gpu[metric].name);
    is.any |= has;
    is.all &= has;
  }
  return is;
}

}  // namespace

std::vector<ShadowRow> FindShadows(std::span<const schema::Exporter* const> exporters,
                                   const std::vector<std::unique_ptr<Rows>>& parts) {
  std::vector<ShadowRow> shadows;
  std::vector<Names> names;
  for (const schema::Exporter* exporter : exporters) names.push_back(NamesOf(*exporter));
  for (std::size_t a = 0; a < parts.size(); ++a) {
    std::set<std::size_t> found;
    for (std::size_t b = 0; b < parts.size(); ++b) {
      if (a == b || parts[b]->size() == 0) continue;
      std::map<Key, std::size_t> of_key;  // rows of `b` that are its own
      for (std::size_t i = 0; i < parts[a]->size(); ++i) {
        const Shown is = ShownOf(*exporters[a], parts[a]->shown(i), names[b]);
        if (!is.any || !is.all || found.contains(i)) continue;
        for (std::size_t j = 0; of_key.empty() && j < parts[b]->size(); ++j) {
          if (ShownOf(*exporters[b], parts[b]->shown(j), names[a]).all) continue;
          of_key.emplace(KeyOf(parts[b]->row(j)), j);
        }
        const auto of = of_key.find(KeyOf(parts[a]->row(i)));
        if (of == of_key.end()) continue;
        found.insert(i);
        shadows.push_back({a, i, b, of->second});
      }
    }
  }
  std::sort(shadows.begin(), shadows.end(), IsBefore);
  return shadows;
}

}  // namespace gpumon::gpu
