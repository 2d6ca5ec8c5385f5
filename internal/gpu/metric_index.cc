#include "internal/gpu/metric_index.h"

#include <algorithm>

#include "internal/gpu/selectors.h"

namespace gpumon::gpu {

MetricIndex::MetricIndex(const schema::Exporter& exporter, models::Part part) {
  const auto add = [&](const std::string& name, FamilyUse::As as, std::size_t index) {
    for (const std::string& prefix : exporter.prefixes) {
      uses_[prefix + name].push_back({as, index});
    }
  };
  const bool gpus = part == models::Part::kGpus;
  const auto& metrics = gpus ? exporter.gpu : exporter.process;
  for (std::size_t i = 0; i < metrics.size(); ++i) add(metrics[i].name, FamilyUse::As::kMetric, i);
  const auto& infos = exporter.infos(!gpus);
  for (std::size_t i = 0; i < infos.size(); ++i) add(infos[i], FamilyUse::As::kInfo, i);
  for (std::size_t i = 0; i < exporter.success.size(); ++i) {
    const bool fits = gpus ? exporter.success[i].of_gpus : exporter.success[i].of_processes;
    if (fits && !metrics.empty()) add(exporter.success[i].name, FamilyUse::As::kSuccess, i);
  }
  if (!gpus) return;
  for (std::size_t i = 0; i < exporter.mig_mode.size(); ++i) {
    add(exporter.mig_mode[i], FamilyUse::As::kMigMode, i);
  }
  if (!exporter.gpu_id_metric.empty()) add(exporter.gpu_id_metric, FamilyUse::As::kGpuId, 0);
  for (std::size_t i = 0; i < exporter.shares.size(); ++i) {
    add(exporter.shares[i].name, FamilyUse::As::kShare, i);
  }
}

std::span<const FamilyUse> MetricIndex::Find(std::string_view name) const {
  // C++20's heterogeneous look-up is not in every standard library yet that builds this.
  const auto found = uses_.find(std::string(name));
  if (found == uses_.end()) return {};
  return found->second;
}

bool MetricIndex::IsInfo(std::string_view name) const {
  const std::span<const FamilyUse> uses = Find(name);
  return !uses.empty() && std::all_of(uses.begin(), uses.end(), [](const FamilyUse& use) {
    return use.as == FamilyUse::As::kInfo;
  });
}

std::vector<std::string> MetricIndex::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, uses] : uses_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// Of what it is a part.
std::size_t SlotOf(const schema::ShareMetric& share) {
  return static_cast<std::size_t>(share.share == schema::Share::kUtilization
                                      ? models::Quantity::kUtilization
                                      : models::Quantity::kMemoryUsed);
}

}  // namespace

bool HasParts(const schema::Exporter& exporter, const schema::Metric& metric) {
  const auto& shares = exporter.shares;
  const auto of_field = [&](const schema::ShareMetric& share) {
    return SlotOf(share) == metric.slot;
  };
  return std::none_of(shares.begin(), shares.end(), of_field) ||
         std::any_of(shares.begin(), shares.end(), [&](const schema::ShareMetric& share) {
           return of_field(share) && share.name == metric.name;
         });
}

bool ShowsDeviceOf(const schema::Exporter& exporter, std::span<const std::uint8_t> shown,
                   const schema::ShareMetric& share) {
  const std::size_t metric = shown[SlotOf(share)];
  return metric < exporter.gpu.size() && exporter.gpu[metric].name == share.name &&
         exporter.gpu[metric].reduce == schema::Reduce::kNewest;
}

std::size_t CountSeries(const schema::Exporter& exporter, models::Part part,
                        const prom::InstantVector& vector) {
  if (part != models::Part::kProcesses) return vector.size();
  std::vector<std::string> totals;
  for (const schema::Metric& metric : exporter.gpu) {
    if (metric.slot == static_cast<std::size_t>(models::Quantity::kMemoryTotal)) {
      totals.push_back(metric.name);
    }
  }
  totals = WithPrefixes(exporter, totals);
  std::size_t count = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::string_view name = prom::Get(vector.labels(i), "__name__");
    count += std::find(totals.begin(), totals.end(), name) == totals.end() ? 1U : 0U;
  }
  return count;
}

std::vector<std::size_t> LeadersOf(const std::vector<schema::Metric>& metrics) {
  std::vector<std::size_t> leaders;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    std::size_t leader = 0;
    while (leader < i && (metrics[leader].slot != metrics[i].slot ||
                          metrics[leader].reduce != schema::Reduce::kSum ||
                          metrics[i].reduce != schema::Reduce::kSum ||
                          metrics[leader].scale != metrics[i].scale)) {
      ++leader;
    }
    leaders.push_back(leader);
  }
  return leaders;
}

}  // namespace gpumon::gpu
