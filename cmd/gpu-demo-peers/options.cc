#include "cmd/gpu-demo-peers/options.h"

#include <array>
#include <utility>

#include "internal/config/endpoint.h"

namespace gpumon::demo {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--nodes",
              .fallback = "4",
              .kind = Kind::kInteger,
              .help = "Nodes of the synthetic fleet, as of `gpu-exporter --demo`.",
              .min = 1,
              .max = exporter::kMaxFleetGpus},
    OptionRow{.flag = "--gpus-per-node",
              .fallback = "8",
              .kind = Kind::kInteger,
              .help = "GPUs of each of its nodes.",
              .min = 1,
              .max = exporter::kMaxGpusPerNode},
    OptionRow{.flag = "--seed",
              .fallback = "1",
              .kind = Kind::kInteger,
              .help = "The same seed shows the same fleet at the same time.",
              .min = 0,
              .max = INT64_MAX},
    OptionRow{.flag = "--listen-addr",
              .fallback = "127.0.0.1",
              .help = "The address to listen on. A port in it must not differ from a given "
                      "--port.",
              .allowed = "host, host:port or [v6]:port with an IPv4 or IPv6 address or localhost"},
    OptionRow{.flag = "--port",
              .fallback = "0",
              .kind = Kind::kInteger,
              .help = "The one HTTP port of all stand-ins; 0 lets the kernel choose one.",
              .min = 0,
              .max = 65535},
    OptionRow{.flag = "--port-file",
              .help = "A file to write the port to once it is open.",
              .allowed = "a new file in an existing folder, or a regular one that is replaced"},
    OptionRow{.flag = "--log-level",
              .fallback = "info",
              .kind = Kind::kWord,
              .help = "The least severe events that are logged.",
              .allowed = "debug|info|warn|error|off"},
};

}  // namespace

config::Rows OptionRows() {
  return kRows;
}

Result<PeersConfig> MakePeersConfig(const config::Values& values) {
  PeersConfig config;
  config.fleet = {.nodes = static_cast<int>(values.Integer("--nodes")),
                  .gpus_per_node = static_cast<int>(values.Integer("--gpus-per-node")),
                  .seed = static_cast<std::uint64_t>(values.Integer("--seed"))};
  const auto level = log::ParseLevel(values.Text("--log-level"));
  if (!level) return Error(values.Refuse("--log-level", "is no level", level.error().message));
  config.log_level = *level;
  config.port_file = values.Text("--port-file");
  auto endpoint = config::ReadEndpoint(values);
  if (!endpoint) return Error(endpoint.error());
  config.listen_host = std::move(endpoint->host);
  config.port = endpoint->port;
  return config;
}

}  // namespace gpumon::demo
