#include "internal/exporter/demo_collector.h"

#include "internal/exporter/exposition.h"
#include "internal/exporter/families.h"

namespace gpumon::exporter {

Result<Surroundings> ParseSurroundings(std::string_view text) {
  if (text == "none") return Surroundings::kNone;
  if (text == "gpu") return Surroundings::kGpu;
  if (text == "all") return Surroundings::kAll;
  return Error(Code::kInvalidParameter, "--surroundings is not one of: all, gpu, none");
}

Result<void> DemoCollector::Collect(WallTime at, std::string& out) const {
  const FleetState state = fleet_.At(at);
  Exposition text(out);
  std::string labels;
  AppendLabel(labels, "demo", "true");
  AppendLabel(labels, "version", version_);
  text.Begin({"gpu_exporter_info", MetricType::kGauge,
              "The exporter itself; demo=\"true\" means that every number here is made up."});
  text.Sample(labels, 1);
  WriteCoreFamilies(state, text);
  if (surroundings_ != Surroundings::kNone) WriteDeviceFamilies(state, text);
  if (surroundings_ == Surroundings::kAll) {
    WriteNodeFamilies(state, text);
    WriteKubeFamilies(state, text);
  }
  return {};
}

}  // namespace gpumon::exporter
