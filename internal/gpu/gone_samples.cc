#include "internal/gpu/gone_samples.h"

#include <array>

#include "internal/gpu/label_reader.h"

namespace gpumon::gpu {

using models::Text;

void TellGone(const prom::InstantVector& gone, std::optional<std::size_t> metric,
              const schema::Exporter& exporter, const MetricIndex& names,
              RowTable<models::GpuMetrics>& table, const OwnPods& own_pods,
              JoinRecorder& recorder) {
  for (std::size_t i = 0; i < gone.size(); ++i) {
    const prom::LabelSet labels = gone.labels(i);
    const Identity identity = table.Read(labels);
    models::GpuMetrics named;
    for (const Text text : {Text::kNode, Text::kGpuId, Text::kUuid}) {
      named.set_text(text, identity.text(text));
    }
    const auto tell = [&](FamilyUse use) {
      if (use.as != FamilyUse::As::kMetric) return;
      recorder.Gone({exporter,
                     use,
                     use.index,
                     RowTable<models::GpuMetrics>::kNone,
                     named,
                     labels,
                     gone.point(i).value,
                     {0, models::NullReason::kExporterDown},
                     own_pods});
    };
    if (metric) {
      tell({FamilyUse::As::kMetric, *metric});
    } else {
      for (const FamilyUse& use : names.Find(prom::Get(labels, "__name__"))) tell(use);
    }
  }
}

}  // namespace gpumon::gpu
