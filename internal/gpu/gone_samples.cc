#include "internal/gpu/gone_samples.h"

#include <string>
#include <string_view>

#include "internal/gpu/conditions.h"
#include "internal/gpu/identity.h"
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
    const std::string_view raw = identity.text(Text::kUuid);
    const std::string uuid = RewriteUuid(raw, exporter.vendor).value_or(std::string(raw));
    models::GpuMetrics named;
    named.set_text(Text::kNode, identity.text(Text::kNode));
    named.set_text(Text::kGpuId, identity.text(Text::kGpuId));
    named.set_text(Text::kUuid, uuid);
    bool told = false;  // of several uses one is enough to say that it has none
    const auto tell = [&](FamilyUse use) {
      if (use.as != FamilyUse::As::kMetric || told) return;
      if (!AllHold(exporter.gpu[use.index].where, labels)) return;
      told = true;
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
