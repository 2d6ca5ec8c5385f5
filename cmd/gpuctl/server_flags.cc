#include "cmd/gpuctl/server_flags.h"

#include <array>

#include "cmd/gpuctl/log_flags.h"
#include "internal/config/address.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr OptionRow kTimeout = {.flag = "--timeout",
                                .env = "GPUCTL_TIMEOUT",
                                .fallback = "15s",
                                .kind = Kind::kDuration,
                                .help = "How long to wait for each answer.",
                                .min = 100,
                                .max = 600'000};
constexpr std::array kServerRows = {
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
    kTimeout,
};

}  // namespace

std::vector<OptionRow> WithServerFlags(config::Rows rows) {
  std::vector<OptionRow> all(kServerRows.begin(), kServerRows.end());
  all.insert(all.end(), rows.begin(), rows.end());
  const config::Rows log = LogFlags();
  all.insert(all.end(), log.begin(), log.end());
  return all;
}

std::vector<OptionRow> TimeoutFlags() {
  std::vector<OptionRow> all = {kTimeout};
  const config::Rows log = LogFlags();
  all.insert(all.end(), log.begin(), log.end());
  return all;
}

Result<Server> ServerOf(const config::Values& values) {
  if (const auto wrong = config::CheckUrl(values.Text("--server"))) {
    return Error(values.Refuse("--server", wrong->message));
  }
  return Server::Make({values.Text("--server"), values.Text("--token-file"),
                       values.Text("--ca-file"), values.Duration("--timeout")});
}

}  // namespace gpumon::ctl
