#include "internal/config/metrics_dir.h"

namespace gpumon::config {

std::string MetricsDirOf(const Values& values, const Environment& environment) {
  std::string path = values.Text(kMetricsDirRow.flag);
  if (path != "~" && !path.starts_with("~/")) return path;
  const auto home = environment.find("HOME");
  if (home == environment.end() || home->second.empty()) return {};
  return home->second + path.substr(1);
}

}  // namespace gpumon::config
