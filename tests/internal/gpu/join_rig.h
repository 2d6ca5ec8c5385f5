// A join of one exporter, by fields instead of metrics.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/join.h"
#include "internal/gpu/plan.h"
#include "internal/schema/registry.h"

namespace gpumon::gpu {

inline const schema::Exporter& NvidiaGpu() {
  return *schema::Registry::BuiltIn().Find("nvidia_gpu");
}

// What is asked of exporters whose scrape jobs are not known.
inline std::vector<PlannedQuery> PlanOf(const std::vector<const schema::Exporter*>& exporters,
                                        models::Part part) {
  std::vector<Subject> subjects;
  for (const schema::Exporter* exporter : exporters) subjects.push_back({exporter, {}});
  return PlanQueries(subjects, part);
}

template <class RowT>
class OneJoin {
 public:
  OneJoin(const schema::Exporter& exporter, double as_of)
      : exporters_{&exporter}, join_(exporters_, evidence_, as_of) {}

  void Add(const prom::InstantVector& vector, std::size_t slot) {
    join_.Add(0, vector, Metric(slot));
  }
  void AddFailure(std::size_t slot) { join_.AddFailure(0, Metric(slot)); }
  void AddTimes(prom::InstantVector times) { join_.AddTimes(0, std::move(times)); }
  Join<RowT>* operator->() { return &join_; }

 private:
  // The first that measures the field.
  std::optional<std::size_t> Metric(std::size_t slot) const {
    const auto& metrics =
        std::is_same_v<RowT, models::GpuProcess> ? exporters_[0]->process : exporters_[0]->gpu;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (metrics[i].slot == slot) return i;
    }
    return std::nullopt;
  }

  UnitEvidence evidence_;
  const std::array<const schema::Exporter*, 1> exporters_;
  Join<RowT> join_;
};

}  // namespace gpumon::gpu
