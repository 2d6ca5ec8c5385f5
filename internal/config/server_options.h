// The options of gpu-monitoring-api.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/log.h"
#include "internal/base/result.h"
#include "internal/config/options.h"

namespace gpumon::config {

enum class DebugEndpoints : std::uint8_t { kOff, kLoopback, kEverybody };
enum class PrometheusGzip : std::uint8_t { kAuto, kOn, kOff };
enum class ProcessCommands : std::uint8_t { kRedacted, kFull, kName, kHidden };

// Checked, ready to use; the defaults stand in ServerOptionRows alone.
struct ServerConfig {
  // Replicas of the same data, in order of preference, no trailing slash. They may hold
  // credentials: never print them.
  std::vector<std::string> prometheus_urls;
  std::string listen_host;             // IPv4 or IPv6 literal
  std::uint16_t port = 0;              // 0: the kernel chooses
  std::uint16_t grpc_health_port = 0;  // 0: no gRPC health server
  log::Level log_level = log::Level::kInfo;
  Millis cache_ttl{0};
  Millis max_stale{0};  // 0: a stale snapshot is never served
  Millis request_timeout{0};
  Millis prometheus_timeout{0};  // at most request_timeout
  std::size_t prometheus_max_concurrency = 0;
  std::size_t prometheus_max_response_bytes = 0;
  Millis drain_delay{0};
  Millis connection_max_age{0};  // 0: no limit
  std::string prometheus_bearer_token_file;
  std::string prometheus_basic_auth_file;
  std::string prometheus_ca_file;
  std::string prometheus_headers_file;
  PrometheusGzip prometheus_gzip = PrometheusGzip::kAuto;
  std::string api_bearer_token_file;
  std::vector<std::string> allowed_hosts;         // lower case, without port; empty: any
  std::vector<std::string> cors_allowed_origins;  // lower case, or one "*"; empty: none
  std::string base_path;                          // "" or "/x/y"
  DebugEndpoints debug_endpoints = DebugEndpoints::kOff;
  ProcessCommands process_commands = ProcessCommands::kRedacted;
  std::string health_rules;       // fleet::ParseHealthRules
  std::string gpu_prices;         // fleet::Prices::Parse
  std::string schema_file;        // "": the built-in schemas alone
  std::string metrics_dir;        // where stored snapshots are; "" when nobody knows
  std::string dstack_url;         // dstack::ParseAddress; may hold credentials
  bool dstack_asked_for = false;  // somebody gave dstack_url
  Millis dstack_interval{0};
  std::string hakuriver_url;         // "": none; no trailing slash; may hold credentials
  std::string hakuriver_token_file;  // "": none
  bool ready_requires_prometheus = false;
  int threads = 0;
  std::size_t stream_max_clients = 0;
  std::string port_file;      // "" or where the HTTP port is written once it is open
  bool check_config = false;  // do not serve
  // Set: do not serve, ask the server on this machine for this path and exit 0 or 1.
  std::optional<std::string> healthcheck;
};

// For Parse, --help and docs/CONFIG.md.
Rows ServerOptionRows();

// `values` were parsed from ServerOptionRows(). kInvalidParameter in one line, as Values::Refuse
// writes it, for a value that is wrong in itself or contradicts another.
// `environment` for the home folder.
Result<ServerConfig> MakeServerConfig(const Values& values, const Environment& environment);

// The rows that any program which asks Prometheus has too, and what they say: those of the names
// `prometheus...`, `log_level`, `health_rules` and `schema_file`.
std::vector<OptionRow> PrometheusOptionRows();
Result<ServerConfig> MakePrometheusConfig(const Values& values);

}  // namespace gpumon::config
