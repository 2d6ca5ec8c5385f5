#include "cmd/gpu-demo-peers/app.h"

#include <csignal>
#include <memory>
#include <ostream>
#include <utility>

#include "cmd/gpu-demo-peers/dstack_vmm.h"
#include "cmd/gpu-demo-peers/gpud_host.h"
#include "cmd/gpu-demo-peers/hakuriver_host.h"
#include "cmd/gpu-demo-peers/options.h"
#include "cmd/gpu-demo-peers/peers_application.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/config/help.h"
#include "internal/http/server.h"
#include "version.h"

namespace gpumon::demo {
namespace {

constexpr config::Program kProgram{
    .name = "gpu-demo-peers",
    .summary =
        "Stands in for a DStack VMM, a HakuRiver host and a GPUd of the synthetic fleet, "
        "all on one port. For demonstrations: nothing that it tells is real.",
    .version = kVersion};
constexpr Millis kDrainLimit{2000};

int Serve(const PeersConfig& config, const exporter::Fleet& fleet, std::ostream& err) {
  const EndingSignals signals;
  const SystemClock clock;
  ThreadPool pool(1, "answers");
  DstackVmm dstack(fleet);
  HakuRiverHost hakuriver(fleet);
  GpudHost gpud(fleet);
  PeersApplication application({dstack.Rows(), hakuriver.Rows(), gpud.Rows()}, clock, pool);
  http::ServerOptions options;
  options.address = config.listen_host;
  options.port = config.port;
  options.threads = 1;
  options.routes = application.Routes();
  const std::unique_ptr<http::Server> server = http::MakeServer(std::move(options), application);

  const auto port = server->Start();
  if (!port) return FailStart(signals, kProgram.name, port.error(), 1, err);
  if (!config.port_file.empty()) {
    if (const auto written = WritePortFile(config.port_file, *port); !written) {
      server->Stop();
      return FailStart(signals, kProgram.name, written.error(), 2, err);
    }
  }
  log::Info("standing in for DStack, HakuRiver and GPUd (demo)",
            {{"address", config.listen_host},
             {"port", *port},
             {"nodes", config.fleet.nodes},
             {"gpus_per_node", config.fleet.gpus_per_node},
             {"seed", config.fleet.seed}});
  const int signal = signals.Await();
  signals.EndAtOnceOnNext();
  log::Info("ending", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  server->BeginDrain();
  server->AwaitDrained(kDrainLimit);
  server->Stop();
  pool.Stop();
  return 0;
}

}  // namespace

int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err) {
  const auto refuse = [&](const Status& status) {
    err << kProgram.name << ": " << status.message << '\n';
    return 2;
  };
  const auto values = config::Parse(OptionRows(), arguments, environment);
  if (!values) return refuse(values.error());
  if (config::PrintIfWanted(*values, kProgram, OptionRows(), out)) {
    if (IsWritten(out)) return 0;
    err << kProgram.name << ": " << kUnwritten << '\n';
    return 1;
  }
  const auto config = MakePeersConfig(*values);
  if (!config) return refuse(config.error());
  const auto fleet = exporter::Fleet::Make(config->fleet);
  if (!fleet) return refuse(fleet.error());
  log::SetLevel(config->log_level);
  return Serve(*config, *fleet, err);
}

}  // namespace gpumon::demo
