// The options of gpu-demo-peers.
#pragma once

#include <cstdint>
#include <string>

#include "internal/base/log.h"
#include "internal/base/result.h"
#include "internal/config/options.h"
#include "internal/exporter/fleet.h"

namespace gpumon::demo {

// Checked, ready to use; the defaults stand in OptionRows alone.
struct PeersConfig {
  exporter::FleetOptions fleet;
  std::string listen_host;  // IPv4 or IPv6 literal
  std::uint16_t port = 0;   // 0: the kernel chooses
  std::string port_file;    // "" or where the port is written once it is open
  log::Level log_level = log::Level::kInfo;
};

config::Rows OptionRows();

// `values` were parsed from OptionRows(). kInvalidParameter in one line that names the option.
Result<PeersConfig> MakePeersConfig(const config::Values& values);

}  // namespace gpumon::demo
