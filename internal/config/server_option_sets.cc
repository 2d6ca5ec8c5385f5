// Which options are about Prometheus.
#include "internal/config/server_options.h"

namespace gpumon::config {

std::vector<OptionRow> PrometheusOptionRows() {
  std::vector<OptionRow> rows;
  for (const OptionRow& row : ServerOptionRows()) {
    const bool other =
        row.flag == "--log-level" || row.flag == "--health-rules" || row.flag == "--schema-file";
    if (other || row.flag.starts_with("--prometheus-")) rows.push_back(row);
  }
  return rows;
}

}  // namespace gpumon::config
