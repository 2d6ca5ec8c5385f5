// gpuctl rules: alerts and recorded series for the exporter that is there.
#pragma once

#include <iosfwd>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::ctl {

config::Rows RulesOptions();
// Exit codes as app.h's Exit; kFindings: the server has found no exporter.
int RunRules(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kRulesUsage = "[--server URL | --schema NAME] [-o WORD]";
inline constexpr std::string_view kRulesDetails =
    R"(Prints alerts and recorded series for Prometheus, written for the GPU exporter
that is there: its metric names, units, labels and blanks. A running
gpu-monitoring-api is asked which exporters its Prometheus has; with --schema
nobody is asked. A rule that the exporter cannot feed is left out, and a comment
says so. The server's own alerts (down, old data, failing queries) are a group
of their own.

  -o kubernetes   a PrometheusRule for the Prometheus Operator (the default)
  -o prometheus   a file for rule_files, for promtool and for vmalert

docs/RULES.md says what the rules look at, docs/RUNBOOKS.md what each alert
means and what to do.

Exit codes:
  0  printed
  1  the server has found no GPU exporter
  2  wrong usage
  3  the server cannot be reached, does not answer as it should, or has a schema
     that gpuctl does not know
  4  not all of the output could be written

Examples:
  gpuctl rules --label release=kube-prometheus-stack | kubectl apply -f -
  gpuctl rules --schema dcgm -o prometheus > gpu-rules.yaml
  gpuctl rules --health-rules temperature_critical=90 --api=false

)";

}  // namespace gpumon::ctl
