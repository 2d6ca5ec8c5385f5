// The options of gpu-exporter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/log.h"
#include "internal/base/result.h"
#include "internal/config/options.h"
#include "internal/exporter/demo_collector.h"
#include "internal/exporter/fleet.h"
#include "internal/exporter/past.h"
#include "internal/gpu/command.h"

namespace gpumon::exporter {

// Of the GPUs of this machine.
struct LiveConfig {
  std::string node;
  std::string nvml_library;  // "": the driver's
  std::string nvidia_smi;    // "": never asked
  Millis read_limit{0};
  gpu::CommandStyle commands = gpu::CommandStyle::kRedacted;
  std::string proc;
  std::string passwd;
  std::string pod_resources;
  std::string pod_logs;
};

// Checked, ready to use; the defaults stand in OptionRows alone.
struct ExporterConfig {
  bool demo = false;  // the fleet, else the live GPUs
  LiveConfig live;
  FleetOptions fleet;
  Surroundings surroundings = Surroundings::kAll;
  std::string listen_host;  // IPv4 or IPv6 literal
  std::uint16_t port = 0;   // 0: the kernel chooses
  std::string port_file;    // "" or where the port is written once it is open
  log::Level log_level = log::Level::kInfo;
  std::optional<PastOptions> past;  // what to write instead of serving
};

config::Rows OptionRows();

// `values` were parsed from OptionRows(), `now` is what --past ends at when nobody says otherwise.
// kInvalidParameter in one line that names the option.
Result<ExporterConfig> MakeExporterConfig(const config::Values& values, WallTime now);

}  // namespace gpumon::exporter
