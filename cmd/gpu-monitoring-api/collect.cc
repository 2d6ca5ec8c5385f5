#include "cmd/gpu-monitoring-api/collect.h"

#include <csignal>
#include <ostream>

#include "cmd/gpu-monitoring-api/collect_graph.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/config/collect_options.h"
#include "internal/config/help.h"
#include "version.h"

namespace gpumon::api {
namespace {

constexpr config::Program kProgram{
    .name = "gpu-monitoring-api collect",
    .summary = "Stores a snapshot of every GPU task's health, and sends it where that is wanted.",
    .version = kVersion};

int RunCollector(const config::CollectConfig& config, std::ostream& err) {
  const EndingSignals signals;
  // A file that may grow no further is a full disk, and no end.
  std::signal(SIGXFSZ, SIG_IGN);
  auto graph = CollectGraph::Make(config);
  if (!graph) {
    const int code = graph.error().code == Code::kInvalidParameter ? 2 : 1;
    return FailStart(signals, kProgram.name, graph.error(), code, err);
  }
  log::Info("collecting", {{"version", kVersion},
                           {"metrics_dir", config.metrics_dir},
                           {"interval_s", config.interval.count()},
                           {"sends", !config.endpoint.empty()},
                           {"gpud_version", config.gpud_version}});
  (*graph)->Start();
  bool good = true;
  while (!(*graph)->Ended()) {
    constexpr Millis kTick{50};
    if (signals.Await(kTick) != 0) break;
  }
  // What is under way, or the log's reader, may hold the rest up.
  signals.EndAtOnceOnNext();
  good = (*graph)->Stop();
  log::Info("ended");
  return config.once && !good ? 1 : 0;
}

}  // namespace

int Collect(std::span<const std::string> arguments, const config::Environment& environment,
            std::ostream& out, std::ostream& err) {
  const auto refuse = [&](const Status& status) {
    err << kProgram.name << ": " << status.message << '\n';
    return 2;
  };
  const config::Rows rows = config::CollectOptionRows();
  const auto values = config::Parse(rows, arguments, environment);
  if (!values) return refuse(values.error());
  if (config::PrintIfWanted(*values, kProgram, rows, out)) {
    if (IsWritten(out)) return 0;
    err << kProgram.name << ": " << kUnwritten << '\n';
    return 1;
  }
  const auto config = config::MakeCollectConfig(*values, environment);
  if (!config) return refuse(config.error());
  if (!config->enabled) {
    out << kProgram.name << ": health monitoring is off (" << values->Where("--health-monitoring")
        << "): nothing is collected\n";
    return IsWritten(out) ? 0 : 1;
  }
  log::SetLevel(config->prometheus.log_level);
  return RunCollector(*config, err);
}

}  // namespace gpumon::api
