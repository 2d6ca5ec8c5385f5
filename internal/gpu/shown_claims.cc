#include "internal/gpu/shown_claims.h"

#include <algorithm>
#include <string_view>

#include "internal/gpu/contest.h"

namespace gpumon::gpu {

ShownClaims::ShownClaims(const prom::InstantVector& second, std::set<std::string> found)
    : found_(std::move(found)) {
  for (std::size_t i = 0; i < second.size(); ++i) {
    const prom::LabelSet labels = second.labels(i);
    const std::string_view shown = prom::Get(labels, "shown");
    if (shown.empty()) continue;
    names_[Contest::TargetOf(labels)][std::string(prom::Get(labels, "exporter"))].emplace(shown);
  }
}

bool ShownClaims::IsOf(std::size_t target, const std::string& exporter,
                       const std::map<std::string, std::size_t>& rank) const {
  const auto claims = names_.find(target);
  if (claims == names_.end()) return true;
  const auto own = claims->second.find(exporter);
  if (own == claims->second.end()) return true;
  return std::none_of(claims->second.begin(), claims->second.end(), [&](const auto& other) {
    const auto& [its, names] = other;
    if (its == exporter) return false;
    const bool all =
        std::includes(names.begin(), names.end(), own->second.begin(), own->second.end());
    if (!all || names.size() > own->second.size()) return all;
    const bool there = found_.count(its) > 0;
    if (there != (found_.count(exporter) > 0)) return there;
    return rank.at(its) < rank.at(exporter);
  });
}

}  // namespace gpumon::gpu
