#include "internal/config/collect_options.h"

#include <array>
#include <optional>
#include <vector>

#include "internal/config/address.h"
#include "internal/config/metrics_dir.h"

namespace gpumon::config {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;

constexpr std::array kRows = {
    OptionRow{.flag = "--health-monitoring",
              .env = "FLOW_HEALTH_MONITORING",
              .fallback = "true",
              .kind = Kind::kBool,
              .help = "false: nothing is collected, the program says so and ends with 0.",
              .health_key = "enabled"},
    OptionRow{.flag = "--gpud-version",
              .env = "FLOW_GPUD_VERSION",
              .fallback = "v0.5.1",
              .help = "The version of GPUd that is expected on the host: for the log alone, "
                      "nothing is installed.",
              .health_key = "gpud_version"},
    OptionRow{.flag = "--gpud-port",
              .env = "FLOW_GPUD_PORT",
              .fallback = "15132",
              .kind = Kind::kInteger,
              .help = "The port of GPUd's API.",
              .min = 1,
              .max = 65535,
              .health_key = "gpud_port"},
    OptionRow{.flag = "--gpud-bind",
              .env = "FLOW_GPUD_BIND",
              .fallback = "127.0.0.1",
              .help = "The address that GPUd listens on. HTTPS is tried first, then HTTP; on "
                      "loopback any certificate will do.",
              .allowed = "a host name or an address, without a port",
              .health_key = "gpud_bind"},
    OptionRow{.flag = "--metrics-endpoint",
              .env = "FLOW_METRICS_ENDPOINT",
              .help = "Where snapshots are sent; not set: nowhere.",
              .allowed = "an http:// or https:// URL without query and fragment",
              .health_key = "metrics_endpoint"},
    OptionRow{.flag = "--metrics-interval",
              .env = "FLOW_METRICS_INTERVAL",
              .fallback = "60",
              .kind = Kind::kInteger,
              .help = "Seconds between two rounds; each writes one snapshot of every task.",
              .min = 1,
              .max = 86400,
              .health_key = "metrics_interval"},
    OptionRow{.flag = "--metrics-batch-size",
              .env = "FLOW_METRICS_BATCH_SIZE",
              .fallback = "100",
              .kind = Kind::kInteger,
              .help = "The most snapshots in one request. What is left of a round goes as a "
                      "smaller one.",
              .min = 1,
              .max = 10000,
              .health_key = "metrics_batch_size"},
    OptionRow{.flag = "--metrics-retention-days",
              .env = "FLOW_METRICS_RETENTION_DAYS",
              .fallback = "7",
              .kind = Kind::kInteger,
              .help = "A file is deleted when its day ended more days ago.",
              .min = 1,
              .max = 3650,
              .health_key = "retention_days"},
    OptionRow{.flag = "--metrics-compress-after-days",
              .env = "FLOW_METRICS_COMPRESS_AFTER_DAYS",
              .fallback = "1",
              .kind = Kind::kInteger,
              .help = "A file is compressed when its day ended more days ago.",
              .min = 0,
              .max = 3650,
              .health_key = "compress_after_days"},
    OptionRow{.flag = "--metrics-auth-token",
              .env = "FLOW_METRICS_AUTH_TOKEN",
              .help = "The token that the endpoint asks for: sent as Bearer, or to Datadog as "
                      "DD-API-KEY. Over plain http it is sent to this machine alone.",
              .secret = true},
    OptionRow{.flag = "--metrics-format",
              .env = "FLOW_METRICS_FORMAT",
              .fallback = "json",
              .kind = Kind::kWord,
              .help = "What the endpoint understands.",
              .allowed = "json|pushgateway|datadog"},
    OptionRow{.flag = "--metrics-ca-file",
              .env = "FLOW_METRICS_CA_FILE",
              .kind = Kind::kPath,
              .help = "PEM certificates to trust for the endpoint instead of the system's.",
              .allowed = "a file that can be read, no pipe"},
    OptionRow{.flag = "--metrics-timeout",
              .env = "FLOW_METRICS_TIMEOUT",
              .fallback = "10s",
              .kind = Kind::kDuration,
              .help = "The time the endpoint has to answer one request.",
              .min = 100,
              .max = 10 * kMinute},
    OptionRow{.flag = "--metrics-backoff",
              .env = "FLOW_METRICS_BACKOFF",
              .fallback = "1s",
              .kind = Kind::kDuration,
              .help = "The longest first wait after a failure; each that follows doubles it, up to "
                      "60 times as long. A Retry-After is kept to.",
              .min = 1,
              .max = kMinute},
    OptionRow{.flag = "--metrics-spool-bytes",
              .env = "FLOW_METRICS_SPOOL_BYTES",
              .fallback = "256MiB",
              .kind = Kind::kBytes,
              .help = "What may wait on disk for the endpoint; the oldest gives way.",
              .min = kMiB,
              .max = std::int64_t{1} << 40U},
    OptionRow{.flag = "--once",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "One round, what waits is sent, and the program ends: with 1 when nothing "
                      "could be collected or stored."},
    kFlowConfigRow,
};

using Problem = std::optional<Status>;

Problem ReadEndpoint(const Values& values, CollectConfig& config) {
  config.endpoint = values.Text("--metrics-endpoint");
  config.auth_token = values.Text("--metrics-auth-token");
  config.ca_file = values.Text("--metrics-ca-file");
  const std::string& format = values.Text("--metrics-format");
  config.format = format == "datadog"       ? MetricsFormat::kDatadog
                  : format == "pushgateway" ? MetricsFormat::kPushgateway
                                            : MetricsFormat::kJson;
  if (config.endpoint.empty()) return std::nullopt;
  if (const auto wrong = CheckUrl(config.endpoint)) {
    return values.Refuse("--metrics-endpoint", wrong->message);
  }
  if (config.format == MetricsFormat::kPushgateway) {
    while (config.endpoint.ends_with('/')) config.endpoint.pop_back();
  }
  const bool secret = !config.auth_token.empty() || HasUserInfo(config.endpoint);
  if (secret && IsPlainRemoteUrl(config.endpoint)) {
    return values.Refuse("--metrics-endpoint",
                         "is plain http, where anybody on the way could read the token",
                         "https://, or http:// on this machine, or no token");
  }
  if (config.format == MetricsFormat::kDatadog && config.auth_token.empty()) {
    return values.Refuse("--metrics-format", "needs FLOW_METRICS_AUTH_TOKEN, Datadog's API key");
  }
  return std::nullopt;
}

}  // namespace

Rows CollectOptionRows() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kRows.begin(), kRows.end());
    rows.insert(rows.begin() + 1, kMetricsDirRow);
    for (const OptionRow& row : PrometheusOptionRows()) rows.push_back(row);
    return rows;
  }();
  return kAll;
}

Result<CollectConfig> MakeCollectConfig(const Values& values, const Environment& environment) {
  CollectConfig config;
  auto prometheus = MakePrometheusConfig(values);
  if (!prometheus) return Error(prometheus.error());
  config.prometheus = *std::move(prometheus);
  config.enabled = values.Bool("--health-monitoring");
  config.once = values.Bool("--once");
  config.metrics_dir = MetricsDirOf(values, environment);
  if (config.metrics_dir.empty()) {
    return Error(values.Refuse("--metrics-dir", "needs HOME, which is not set"));
  }
  config.gpud_version = values.Text("--gpud-version");
  config.gpud_port = static_cast<std::uint16_t>(values.Integer("--gpud-port"));
  auto bind = ParseHost(values.Text("--gpud-bind"));
  if (!bind) return Error(values.Refuse("--gpud-bind", bind.error().message));
  config.gpud_bind = *std::move(bind);
  config.interval = std::chrono::seconds(values.Integer("--metrics-interval"));
  config.batch_size = static_cast<std::size_t>(values.Integer("--metrics-batch-size"));
  config.keep = std::chrono::days(values.Integer("--metrics-retention-days"));
  config.compress_after = std::chrono::days(values.Integer("--metrics-compress-after-days"));
  config.spool_bytes = values.Bytes("--metrics-spool-bytes");
  config.send_timeout = values.Duration("--metrics-timeout");
  config.first_wait = values.Duration("--metrics-backoff");
  if (auto problem = ReadEndpoint(values, config)) return Error(*std::move(problem));
  return config;
}

}  // namespace gpumon::config
