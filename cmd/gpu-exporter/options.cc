#include "cmd/gpu-exporter/options.h"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "internal/base/text.h"
#include "internal/config/endpoint.h"

namespace gpumon::exporter {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::int64_t kLongestPast = std::int64_t{366} * 86'400'000;  // milliseconds
constexpr std::int64_t kLatest = 4'102'444'800;                        // 2100-01-01T00:00:00Z

constexpr std::array kRows = {
    OptionRow{.flag = "--demo",
              .env = "GPU_EXPORTER_DEMO",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Publish a synthetic fleet. This version has nothing else to publish.",
              .bare = "true"},
    OptionRow{.flag = "--nodes",
              .env = "GPU_EXPORTER_NODES",
              .fallback = "4",
              .kind = Kind::kInteger,
              .help = "Nodes of the synthetic fleet, which has at most 100000 GPUs.",
              .min = 1,
              .max = kMaxFleetGpus},
    OptionRow{.flag = "--gpus-per-node",
              .env = "GPU_EXPORTER_GPUS_PER_NODE",
              .fallback = "8",
              .kind = Kind::kInteger,
              .help = "GPUs of each of its nodes.",
              .min = 1,
              .max = kMaxGpusPerNode},
    OptionRow{.flag = "--seed",
              .env = "GPU_EXPORTER_SEED",
              .fallback = "1",
              .kind = Kind::kInteger,
              .help = "The same seed shows the same fleet at the same time.",
              .min = 0,
              .max = INT64_MAX},
    OptionRow{.flag = "--surroundings",
              .env = "GPU_EXPORTER_SURROUNDINGS",
              .fallback = "all",
              .kind = Kind::kWord,
              .help = "What to publish around the nine metrics that every consumer needs: "
                      "nothing; gpu: power, clocks, errors and links; all: that and what "
                      "node-exporter and kube-state-metrics tell. Large fleets may want less.",
              .allowed = "all|gpu|none"},
    OptionRow{.flag = "--listen-addr",
              .env = "GPU_EXPORTER_LISTEN_ADDR",
              .fallback = "0.0.0.0",
              .help = "The address to listen on. A port in it must not differ from a given "
                      "--port.",
              .allowed = "host, host:port or [v6]:port with an IPv4 or IPv6 address or localhost"},
    OptionRow{.flag = "--port",
              .env = "GPU_EXPORTER_PORT",
              .fallback = "9432",
              .kind = Kind::kInteger,
              .help = "The HTTP port; 0 lets the kernel choose one.",
              .min = 0,
              .max = 65535},
    OptionRow{.flag = "--port-file",
              .env = "GPU_EXPORTER_PORT_FILE",
              .help = "A file to write the port to once it is open.",
              .allowed = "a new file in an existing folder, or a regular one that is replaced"},
    OptionRow{.flag = "--past",
              .fallback = "0s",
              .kind = Kind::kDuration,
              .help = "Instead of serving, write so much of the synthetic fleet's past to standard "
                      "output as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`.",
              .max = kLongestPast},
    OptionRow{.flag = "--past-end",
              .help = "When that past ends; not set: now.",
              .allowed = "a time from 2024 to 2100, RFC 3339 or Unix seconds"},
    OptionRow{.flag = "--past-step",
              .fallback = kPastStep,
              .kind = Kind::kDuration,
              .help =
                  "From one instant of it to the next. Prometheus sees gaps above 5m, and below "
                  "it sees series for so much longer than they were there.",
              .min = 2000,
              .max = 3'600'000},
    OptionRow{.flag = "--past-job",
              .fallback = "gpu-exporter",
              .help = "The label `job` that Prometheus gives to the exporter.",
              .allowed = "text, not empty"},
    OptionRow{.flag = "--past-instance",
              .fallback = "demo",
              .help = "The label `instance` that Prometheus gives to the exporter.",
              .allowed = "text, not empty"},
    OptionRow{.flag = "--log-level",
              .env = "GPU_EXPORTER_LOG_LEVEL",
              .fallback = "info",
              .kind = Kind::kWord,
              .help = "The least severe events that are logged.",
              .allowed = "debug|info|warn|error|off"},
};

// Nothing when none is wanted.
Result<std::optional<PastOptions>> ReadPast(const config::Values& values, WallTime now) {
  const auto seconds = [](auto time) {
    return std::chrono::floor<std::chrono::seconds>(time).count();
  };
  for (const std::string_view flag : {"--past", "--past-step"}) {
    if (values.Duration(flag).count() % 1000 != 0) {
      return Error(values.Refuse(flag, "is not a number of whole seconds"));
    }
  }
  PastOptions past{.end = seconds(now.time_since_epoch()),
                   .length = seconds(values.Duration("--past")),
                   .step = seconds(values.Duration("--past-step")),
                   .job = values.Text("--past-job"),
                   .instance = values.Text("--past-instance")};
  for (const std::string_view flag : {"--past-job", "--past-instance"}) {
    if (values.Text(flag).empty()) return Error(values.Refuse(flag, "is empty"));
  }
  if (values.Given("--past-end")) {
    const auto end = ParseTime(values.Text("--past-end"));
    if (!end) return Error(values.Refuse("--past-end", "is no time"));
    past.end = seconds(end->time_since_epoch());
    if (past.end < kFleetStart || past.end > kLatest) {
      return Error(values.Refuse("--past-end", "is out of range"));
    }
  }
  if (past.length == 0) return std::nullopt;
  if (past.end - past.length < kFleetStart) {
    return Error(values.Refuse("--past", "reaches back beyond 2024, when the fleet begins"));
  }
  return past;
}

}  // namespace

config::Rows OptionRows() {
  return kRows;
}

Result<ExporterConfig> MakeExporterConfig(const config::Values& values, WallTime now) {
  ExporterConfig config;
  if (!values.Bool("--demo")) {
    return Error(Code::kInvalidParameter,
                 "this version reads no real GPUs; --demo publishes a synthetic fleet");
  }
  config.fleet = {.nodes = static_cast<int>(values.Integer("--nodes")),
                  .gpus_per_node = static_cast<int>(values.Integer("--gpus-per-node")),
                  .seed = static_cast<std::uint64_t>(values.Integer("--seed"))};
  const auto surroundings = ParseSurroundings(values.Text("--surroundings"));
  if (!surroundings) return Error(surroundings.error());
  config.surroundings = *surroundings;
  const auto level = log::ParseLevel(values.Text("--log-level"));
  if (!level) return Error(values.Refuse("--log-level", "is no level", level.error().message));
  config.log_level = *level;
  config.port_file = values.Text("--port-file");
  auto endpoint = config::ReadEndpoint(values);
  if (!endpoint) return Error(endpoint.error());
  config.listen_host = std::move(endpoint->host);
  config.port = endpoint->port;
  auto past = ReadPast(values, now);
  if (!past) return Error(past.error());
  config.past = *std::move(past);
  return config;
}

}  // namespace gpumon::exporter
