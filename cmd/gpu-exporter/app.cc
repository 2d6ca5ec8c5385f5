#include "cmd/gpu-exporter/app.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <ostream>
#include <string_view>
#include <utility>

#include "cmd/gpu-exporter/healthcheck.h"
#include "cmd/gpu-exporter/options.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/config/help.h"
#include "internal/exporter/demo_collector.h"
#include "internal/exporter/live_collector.h"
#include "internal/exporter/past.h"
#include "internal/exporter/scrape_application.h"
#include "internal/fleet/xid.h"
#include "internal/gpu/command.h"
#include "internal/grpc/pod_resources.h"
#include "internal/http/server.h"
#include "version.h"

namespace gpumon::exporter {
namespace {

constexpr config::Program kProgram{.name = "gpu-exporter",
                                   .summary = "Publishes GPU metrics for Prometheus on /metrics.",
                                   .version = kVersion};
constexpr Millis kDrainLimit{5000};
constexpr int kNoGpus = 3;

void LogStart(const ExporterConfig& config, std::uint16_t port) {
  if (config.demo) {
    log::Info("serving a synthetic fleet", {{"address", config.listen_host},
                                            {"port", port},
                                            {"path", "/metrics"},
                                            {"nodes", config.fleet.nodes},
                                            {"gpus_per_node", config.fleet.gpus_per_node},
                                            {"seed", config.fleet.seed}});
  } else {
    log::Info("serving the GPUs of this machine", {{"address", config.listen_host},
                                                   {"port", port},
                                                   {"path", "/metrics"},
                                                   {"node", config.live.node}});
  }
}

int Serve(const ExporterConfig& config, const EndingSignals& signals, const Collector& collector,
          std::ostream& err) {
  const SystemClock clock;
  ThreadPool pool(1, "scrape");
  ScrapeApplication application(collector, clock, pool);
  http::ServerOptions options;
  options.address = config.listen_host;
  options.port = config.port;
  options.threads = 1;
  options.routes = ScrapeApplication::Routes();
  const std::unique_ptr<http::Server> server = http::MakeServer(std::move(options), application);

  const auto port = server->Start();
  if (!port) return FailStart(signals, kProgram.name, port.error(), 1, err);
  if (!config.port_file.empty()) {
    if (const auto written = WritePortFile(config.port_file, *port); !written) {
      server->Stop();
      return FailStart(signals, kProgram.name, written.error(), 2, err);
    }
  }
  LogStart(config, *port);
  const int signal = signals.Await();
  signals.EndAtOnceOnNext();
  log::Info("ending", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  server->BeginDrain();
  server->AwaitDrained(kDrainLimit);
  server->Stop();
  pool.Stop();
  return 0;
}

// The GPUs of this machine.
int ServeLive(const ExporterConfig& config, std::ostream& err) {
  const EndingSignals signals;  // before the collector's thread
  const LiveConfig& live = config.live;
  const grpc::PodResources kubelet(live.pod_resources);
  LiveOptions options;
  options.node = live.node;
  options.version = kVersion;
  options.reader.nvml_library = live.nvml_library;
  options.reader.smi.program = live.nvidia_smi;
  options.reader.smi.limit = live.read_limit * 4 / 5;  // so that why it failed is still told
  options.reader.host = {live.proc, live.passwd, [style = live.commands](std::string_view command) {
                           return gpu::ShowCommand(command, style);
                         }};
  options.reader.asks_for_reset = [](unsigned code) {
    return fleet::XidOf(static_cast<int>(code)).which == fleet::XidClass::kReset;
  };
  options.read_limit = live.read_limit;
  options.holders = [&kubelet](Deadline deadline) { return kubelet.List(deadline); };
  options.pod_logs = live.pod_logs;
  const LiveCollector collector(std::move(options));
  if (const auto found = collector.FindGpus(); !found) {
    Status why = found.error();
    why.message += "; --demo publishes a synthetic fleet instead";
    return FailStart(signals, kProgram.name, why, kNoGpus, err);
  }
  return Serve(config, signals, collector, err);
}

int ServeDemo(const ExporterConfig& config, Fleet fleet, std::ostream& err) {
  const EndingSignals signals;
  return Serve(config, signals,
               DemoCollector(std::move(fleet), config.surroundings, std::string(kVersion)), err);
}

}  // namespace

int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err) {
  const bool is_healthcheck = std::any_of(
      arguments.begin(), arguments.end(),
      [](const std::string& argument) { return argument.starts_with("--healthcheck"); });
  const auto refuse = [&](const Status& status) {
    err << kProgram.name << ": " << status.message << '\n';
    return is_healthcheck ? 1 : 2;  // a container's health check knows 0 and 1
  };
  const auto values = config::Parse(OptionRows(), arguments, environment);
  if (!values) return refuse(values.error());
  if (config::PrintIfWanted(*values, kProgram, OptionRows(), out)) {
    if (IsWritten(out)) return 0;
    err << kProgram.name << ": " << kUnwritten << '\n';
    return 1;
  }
  if (values->Given("--healthcheck")) return CheckHealth(*values, err);
  const auto config = MakeExporterConfig(*values, SystemClock().Wall());
  if (!config) return refuse(config.error());
  if (!config->demo) {
    log::SetLevel(config->log_level);
    return ServeLive(*config, err);
  }
  auto fleet = Fleet::Make(config->fleet);
  if (!fleet) return refuse(fleet.error());
  if (config->past) {
    // A reader that went away is told of like a full disk.
    std::signal(SIGPIPE, SIG_IGN);
    if (WritePast(*fleet, config->surroundings, kVersion, *config->past, out)) return 0;
    err << kProgram.name << ": " << kUnwritten << '\n';
    return 1;
  }
  log::SetLevel(config->log_level);
  return ServeDemo(*config, *std::move(fleet), err);
}

}  // namespace gpumon::exporter
