#include <array>

#include "cmd/gpuctl/doctor.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--server",
              .env = "GPUCTL_SERVER",
              .fallback = "http://localhost:8080",
              .help = "The server's address, with its base path where it has one.",
              .allowed = "an http or https URL without query and fragment"},
    OptionRow{.flag = "--token-file",
              .env = "GPUCTL_TOKEN_FILE",
              .kind = Kind::kPath,
              .help = "A file whose first line is the server's API token."},
    OptionRow{.flag = "--ca-file",
              .env = "GPUCTL_CA_FILE",
              .kind = Kind::kPath,
              .help = "PEM certificates to trust instead of the system's."},
    OptionRow{.flag = "--timeout",
              .env = "GPUCTL_TIMEOUT",
              .fallback = "15s",
              .kind = Kind::kDuration,
              .help = "How long to wait for each answer.",
              .min = 100,
              .max = 600'000},
    OptionRow{.flag = "--node", .help = "The GPU's node, as node_name has it; with --gpu."},
    OptionRow{.flag = "--gpu", .help = "The GPU's gpu_id on that node; with --node."},
    OptionRow{.flag = "--uuid", .help = "The GPU's or MIG instance's uuid, instead of both."},
    OptionRow{.flag = "-f",
              .fallback = "table",
              .kind = Kind::kWord,
              .help = "What to print: a table of at most 80 columns, or JSON.",
              .allowed = "table|json"},
};

}  // namespace

config::Rows DoctorOptions() {
  return kRows;
}

}  // namespace gpumon::ctl
