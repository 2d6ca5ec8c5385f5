// Pods that ask for GPUs or hold them, and what made them, from kube-state-metrics.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "internal/gpu/plan.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// What of kube-state-metrics is asked, for docs/METRICS.md.
struct PodMetric {
  std::string_view name;
  std::string_view gives;
};
std::span<const PodMetric> PodMetrics();
// Resources that are GPUs or instances of them, as kube-state-metrics spells them: regular
// expressions.
std::span<const std::string_view> GpuResources();

// For metrics, logs and warnings.
inline constexpr std::string_view kPodsQueryName = "kube_state_metrics/pods";

// The one PromQL query: of the pods that ask for a GPU, and of those that `exporters` name, which
// may hold one without that (by a claim of dynamic resource allocation, or by its memory), their
// requests, what is known of them, and what made their ReplicaSets and Jobs; nothing of other pods.
// Labels may have been renamed by the scrape (exported_namespace, exported_pod and so on) or not.
std::string PodsQuery(std::span<const Subject> exporters);

// Fills `snapshot.pods` from that query's answer. What several kube-state-metrics, or several
// Prometheus, say of one pod is one row, the same in any order of the series. Of pods that had the
// same name one after the other the one counts that has not ended, then the newest.
void ReadPods(const prom::InstantVector& vector, models::Snapshot& snapshot);

}  // namespace gpumon::gpu
