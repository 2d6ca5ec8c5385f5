#include "cmd/gpu-exporter/options.h"

#include <unistd.h>

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
              .help = "Publish a synthetic fleet instead of the GPUs of this machine. Options of "
                      "the fleet and of its past have no meaning without.",
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
    OptionRow{.flag = "--healthcheck",
              .help = "Asks the exporter on this machine for a path instead of serving; exits with "
                      "0 when it answers 200, else with 1.",
              .allowed = "a path like /livez",
              .bare = "/livez"},
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
    OptionRow{.flag = "--node-name",
              .env = "NODE_NAME",
              .help = "The label `node` of this machine's GPUs; not set: the host's name."},
    OptionRow{.flag = "--nvml-library",
              .env = "NVML_LIBRARY",
              .help = "NVML, which comes with the driver; not set: libnvidia-ml.so.1."},
    OptionRow{
        .flag = "--nvidia-smi",
        .env = "GPU_EXPORTER_NVIDIA_SMI",
        .fallback = "nvidia-smi",
        .help = "The program to ask where NVML cannot be loaded, and for values that NVML lacks.",
        .allowed = "a name in PATH, a path, or off"},
    OptionRow{.flag = "--read-limit",
              .env = "GPU_EXPORTER_READ_LIMIT",
              .fallback = "5s",
              .kind = Kind::kDuration,
              .help = "How long a scrape waits for the driver; less than the scrape_timeout of "
                      "Prometheus. What hangs has no samples then.",
              .min = 100,
              .max = 60'000},
    OptionRow{.flag = "--process-commands",
              .env = "PROCESS_COMMANDS",
              .fallback = "redacted",
              .kind = Kind::kWord,
              .help = "What is published of a process's command line: with its secrets masked, "
                      "all, the program's name only, or nothing.",
              .allowed = "redacted|full|name|hidden"},
    OptionRow{.flag = "--proc-path",
              .env = "GPU_EXPORTER_PROC_PATH",
              .fallback = "/proc",
              .help = "Where the kernel tells of processes. A container needs the host's process "
                      "ids (hostPID), else there are no users, commands, CPU and memory."},
    OptionRow{.flag = "--passwd-file",
              .env = "GPU_EXPORTER_PASSWD_FILE",
              .fallback = "/etc/passwd",
              .help = "Names of users; of one that is not in it the number is published."},
    OptionRow{.flag = "--pod-resources",
              .env = "GPU_EXPORTER_POD_RESOURCES",
              .fallback = "/var/lib/kubelet/pod-resources/kubelet.sock",
              .help = "The kubelet's socket, which tells whose the GPUs are; need not be there."},
    OptionRow{.flag = "--pod-logs",
              .env = "GPU_EXPORTER_POD_LOGS",
              .fallback = "/var/log/pods",
              .help = "The kubelet's folder of logs: its names tell the pods of processes where "
                      "several share a GPU. Nothing in it is read; need not be there."},
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

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return ToValidUtf8(name.data());
}

gpu::CommandStyle StyleOf(std::string_view word) {
  if (word == "full") return gpu::CommandStyle::kFull;
  if (word == "name") return gpu::CommandStyle::kName;
  if (word == "hidden") return gpu::CommandStyle::kHidden;
  return gpu::CommandStyle::kRedacted;
}

LiveConfig ReadLive(const config::Values& values) {
  LiveConfig live;
  live.node = values.Text("--node-name");
  if (live.node.empty()) live.node = HostName();
  live.nvml_library = values.Text("--nvml-library");
  if (values.Text("--nvidia-smi") != "off") live.nvidia_smi = values.Text("--nvidia-smi");
  live.read_limit = values.Duration("--read-limit");
  live.commands = StyleOf(values.Text("--process-commands"));
  live.proc = values.Text("--proc-path");
  live.passwd = values.Text("--passwd-file");
  live.pod_resources = values.Text("--pod-resources");
  live.pod_logs = values.Text("--pod-logs");
  return live;
}

}  // namespace

config::Rows OptionRows() {
  return kRows;
}

Result<ExporterConfig> MakeExporterConfig(const config::Values& values, WallTime now) {
  ExporterConfig config;
  config.demo = values.Bool("--demo");
  config.live = ReadLive(values);
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
  if (config.past && !config.demo) {
    return Error(values.Refuse("--past", "is of the synthetic fleet alone; add --demo"));
  }
  return config;
}

}  // namespace gpumon::exporter
