#include "internal/gpu/failed_targets.h"

#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "internal/gpu/conditions.h"
#include "internal/gpu/contest.h"
#include "internal/gpu/down_targets.h"

namespace gpumon::gpu {

std::map<std::size_t, std::string> FailedTargets(const schema::Exporter& exporter,
                                                 const MetricIndex& names,
                                                 const prom::InstantVector& vector) {
  using Key = std::pair<std::size_t, std::size_t>;  // target and metric
  std::map<std::size_t, std::string> targets;
  if (exporter.success.empty()) return targets;
  std::set<Key> succeeded;
  std::map<Key, std::string> failed;
  std::string_view name;
  std::span<const FamilyUse> uses;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const prom::LabelSet labels = vector.labels(i);
    if (const std::string_view its = prom::Get(labels, "__name__"); its != name) {
      name = its;
      uses = names.Find(name);
    }
    for (const FamilyUse& use : uses) {
      if (use.as != FamilyUse::As::kSuccess) continue;
      if (!AllHold(exporter.success[use.index].where, labels)) continue;
      const Key key(Contest::TargetOf(labels), use.index);
      if (vector.point(i).value != 0) {
        succeeded.insert(key);
      } else {
        failed.emplace(key, TargetName(labels));
      }
    }
  }
  for (auto& [key, target] : failed) {
    if (!succeeded.contains(key)) targets.emplace(key.first, std::move(target));
  }
  return targets;
}

}  // namespace gpumon::gpu
