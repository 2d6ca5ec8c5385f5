#include "cmd/gpu-monitoring-api/app.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ostream>

#include "cmd/gpu-monitoring-api/collect.h"
#include "cmd/gpu-monitoring-api/graph.h"
#include "cmd/gpu-monitoring-api/healthcheck.h"
#include "internal/base/log.h"
#include "internal/base/process.h"
#include "internal/config/help.h"
#include "internal/config/server_options.h"
#include "internal/http/descriptor_plan.h"
#include "internal/http/server.h"
#include "version.h"

namespace gpumon::api {
namespace {

constexpr config::Program kProgram{
    .name = "gpu-monitoring-api",
    .summary = "Serves the GPU metrics of any Prometheus as a dashboard API.",
    .version = kVersion,
    .usage =
        "[flags]\n       gpu-monitoring-api collect [flags]    stores and sends snapshots of "
        "health; see collect --help"};
// How long one wait for a signal lasts; between two of them the graph is looked after.
constexpr Millis kTick{100};
constexpr Millis kTickUntilFirstRefresh{20};
// How long an end at once waits for the log's reader.
constexpr Millis kLastLines{100};

// Somebody who asks twice does not want to wait.
void EndAtOnceOnSignal(const EndingSignals& signals, Millis wait) {
  if (signals.Await(wait) != 0) {
    log::Warning("second signal: ending at once");
    log::Flush(kLastLines);
    _exit(1);
  }
}

// Readiness fails first; after the delay, when load balancers look elsewhere, what is in flight
// is finished and idle connections close.
void Drain(Graph& graph, const config::ServerConfig& config, int signal,
           const EndingSignals& signals) {
  const SystemClock clock;
  graph.FailReadiness();
  const Millis delay = signal == SIGINT ? Millis(0) : config.drain_delay;
  log::Info("draining",
            {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}, {"delay_ms", delay.count()}});
  const Deadline delayed = Deadline::After(clock, delay);
  while (!delayed.Passed(clock)) {
    EndAtOnceOnSignal(signals, std::min(kTick, delayed.Left(clock)));
    graph.Tick();
  }
  graph.BeginDrain();
  const Deadline limit = Deadline::After(clock, config.request_timeout + Millis(5000));
  while (!graph.AwaitDrained(kTick)) {
    EndAtOnceOnSignal(signals, Millis(0));
    if (limit.Passed(clock)) {
      log::Warning("drain limit passed: ending with requests in flight");
      break;
    }
  }
}

// What a start would refuse, but for ports that are in use and a port file that finds no room.
int CheckConfig(const config::ServerConfig& config, std::ostream& out, std::ostream& err) {
  const auto refuse = [&](const Status& why, int code) {
    err << kProgram.name << ": " << why.message << '\n';
    return code;
  };
  const auto files = http::PlanDescriptors(http::Limits().connections, config.threads);
  if (!files) return refuse(files.error(), 1);
  if (const auto graph = Graph::Make(config); !graph) return refuse(graph.error(), 2);
  if (!config.port_file.empty()) {
    if (const auto writable = CheckPortFile(config.port_file); !writable) {
      return refuse(writable.error(), 2);
    }
  }
  out << "the configuration is good\n";
  return IsWritten(out) ? 0 : 1;
}

int Serve(const config::ServerConfig& config, std::ostream& err) {
  const EndingSignals signals;
  // Before anything is opened: what fails first says nothing of the cause.
  const auto files = http::PlanDescriptors(http::Limits().connections, config.threads);
  if (!files) return FailStart(signals, kProgram.name, files.error(), 1, err);
  auto graph = Graph::Make(config);
  if (!graph) return FailStart(signals, kProgram.name, graph.error(), 2, err);
  const auto port = (*graph)->Start();
  if (!port) return FailStart(signals, kProgram.name, port.error(), 1, err);
  if (!config.port_file.empty()) {
    if (const auto written = WritePortFile(config.port_file, *port); !written) {
      return FailStart(signals, kProgram.name, written.error(), 2, err);
    }
  }
  log::Info("serving", {{"version", kVersion},
                        {"address", config.listen_host},
                        {"port", *port},
                        {"grpc_health_port", config.grpc_health_port}});
  int signal = 0;
  Millis tick = kTickUntilFirstRefresh;
  while ((signal = signals.Await(tick)) == 0) {
    (*graph)->Tick();
    if ((*graph)->FirstRefreshAsked()) tick = kTick;
  }
  Drain(**graph, config, signal, signals);
  // A thread that hangs, or the log's reader, may hold the rest up.
  signals.EndAtOnceOnNext();
  (*graph)->Stop();
  log::Info("ended");
  return 0;
}

}  // namespace

int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err) {
  if (!arguments.empty() && arguments.front() == "collect") {
    return Collect(arguments.subspan(1), environment, out, err);
  }
  const bool is_healthcheck = std::any_of(
      arguments.begin(), arguments.end(),
      [](const std::string& argument) { return argument.starts_with("--healthcheck"); });
  const auto refuse = [&](const Status& status) {
    err << kProgram.name << ": " << status.message << '\n';
    return is_healthcheck ? 1 : 2;  // a container's health check knows 0 and 1
  };
  const auto values = config::Parse(config::ServerOptionRows(), arguments, environment);
  if (!values) return refuse(values.error());
  if (config::PrintIfWanted(*values, kProgram, config::ServerOptionRows(), out)) {
    if (IsWritten(out)) return 0;
    err << kProgram.name << ": " << kUnwritten << '\n';
    return 1;
  }
  const auto config = config::MakeServerConfig(*values, environment);
  if (!config) return refuse(config.error());
  if (config->healthcheck) return CheckHealth(*config, err);
  log::SetLevel(config->log_level);
  if (config->check_config) return CheckConfig(*config, out, err);
  return Serve(*config, err);
}

}  // namespace gpumon::api
