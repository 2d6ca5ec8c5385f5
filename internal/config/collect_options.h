// The options of gpu-monitoring-api collect.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/config/options.h"
#include "internal/config/server_options.h"

namespace gpumon::config {

enum class MetricsFormat : std::uint8_t { kJson, kPushgateway, kDatadog };

// Checked, ready to use.
struct CollectConfig {
  ServerConfig prometheus;  // what PrometheusOptionRows say; the rest of it is not set
  bool enabled = true;
  bool once = false;
  std::string metrics_dir;
  std::string gpud_version;
  std::string gpud_bind;
  std::uint16_t gpud_port = 0;
  std::string endpoint;    // "" for none; no slash at its end for pushgateway
  std::string auth_token;  // never shown
  std::string ca_file;
  MetricsFormat format = MetricsFormat::kJson;
  std::chrono::seconds interval{0};
  std::size_t batch_size = 0;
  std::chrono::days keep{0};
  std::chrono::days compress_after{0};
  std::size_t spool_bytes = 0;
  Millis send_timeout{0};
  Millis first_wait{0};
};

// For Parse, --help and docs/CONFIG.md: rows of its own, then PrometheusOptionRows.
Rows CollectOptionRows();

// `values` were parsed from CollectOptionRows(). kInvalidParameter in one line, as Values::Refuse
// writes it.
Result<CollectConfig> MakeCollectConfig(const Values& values, const Environment& environment);

}  // namespace gpumon::config
