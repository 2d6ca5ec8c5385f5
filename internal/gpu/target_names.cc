#include "internal/gpu/target_names.h"

#include <algorithm>

#include "internal/gpu/contest.h"
#include "models/gpu.h"

namespace gpumon::gpu {
namespace {

using models::Text;

// Metrics that come one by one may come before the info.
bool MetricsComeTogether(const schema::Exporter& exporter) {
  return std::none_of(exporter.gpu.begin(), exporter.gpu.end(),
                      [](const schema::Metric& metric) { return metric.own_query; });
}

}  // namespace

TargetNames::TargetNames(const schema::Exporter& exporter)
    : exporter_(exporter), learns_gpus_(!exporter.info.empty() && MetricsComeTogether(exporter)) {}

void TargetNames::Hear(Names& names, prom::LabelSet labels, std::string_view name) {
  if (name.empty()) return;
  const auto [known, is_new] = names.try_emplace(Contest::TargetOf(labels), name);
  if (!is_new && known->second != name) known->second.clear();
}

void TargetNames::Learn(const prom::InstantVector& vector, LabelReader& reader) {
  if (!exporter_.node_of_target && !learns_gpus_) return;
  const auto& infos = exporter_.info;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const prom::LabelSet labels = vector.labels(i);
    if (exporter_.node_of_target) Hear(nodes_, labels, reader.Read(labels).text(Text::kNode));
    if (!learns_gpus_) continue;
    const std::string_view name = prom::Get(labels, "__name__");
    if (std::find(infos.begin(), infos.end(), name) == infos.end()) continue;
    const Identity identity = reader.Read(labels);
    if (identity.text(Text::kUuid).empty()) Hear(gpus_, labels, identity.text(Text::kGpuId));
  }
}

}  // namespace gpumon::gpu
