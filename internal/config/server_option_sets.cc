// Which options there are not, and which of them are about Prometheus.
#include <array>

#include "internal/config/server_options.h"

namespace gpumon::config {

std::vector<std::string_view> VariablesWithoutOption(const Environment& environment) {
  constexpr std::array<std::string_view, 1> kReserved = {"HAKURIVER_URL"};
  std::vector<std::string_view> set;
  for (const std::string_view name : kReserved) {
    const auto variable = environment.find(name);
    if (variable != environment.end() && !variable->second.empty()) set.push_back(name);
  }
  return set;
}

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
