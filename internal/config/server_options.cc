#include "internal/config/server_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "internal/config/address.h"
#include "internal/config/endpoint.h"
#include "internal/config/metrics_dir.h"

namespace gpumon::config {
namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kGiB = kKiB * kKiB * kKiB;

constexpr std::string_view kRegularFile = "a file that can be read, no pipe";

constexpr std::array kRows = {
    OptionRow{.flag = "--prometheus-url",
              .env = "PROMETHEUS_URL",
              .fallback = "http://localhost:9090",
              .kind = Kind::kUrlList,
              .help = "Where Prometheus answers. Several URLs are replicas of the same data: the "
                      "next one is asked when one fails.",
              .allowed = "http:// or https:// URLs without query and fragment, comma-separated"},
    OptionRow{.flag = "--port",
              .env = "PORT",
              .fallback = "8080",
              .kind = Kind::kInteger,
              .help = "The HTTP port; 0 lets the kernel choose one.",
              .min = 0,
              .max = 65535},
    OptionRow{.flag = "--log-level",
              .env = "LOG_LEVEL",
              .fallback = "info",
              .kind = Kind::kWord,
              .help = "The least severe events that are logged.",
              .allowed = "debug|info|warn|error|off"},
    OptionRow{.flag = "--listen-addr",
              .env = "LISTEN_ADDR",
              .fallback = "0.0.0.0",
              .help = "The address to listen on. A port in it must not differ from a given PORT.",
              .allowed = "host, host:port or [v6]:port with an IPv4 or IPv6 address or localhost"},
    OptionRow{.flag = "--grpc-health-port",
              .env = "GRPC_HEALTH_PORT",
              .fallback = "8081",
              .kind = Kind::kInteger,
              .help = "The port of the gRPC health service grpc.health.v1; 0 switches it off.",
              .min = 0,
              .max = 65535},
    OptionRow{.flag = "--cache-ttl",
              .env = "CACHE_TTL",
              .fallback = "2s",
              .kind = Kind::kDuration,
              .help = "How long one answer of Prometheus serves every viewer; 0s shares only "
                      "refreshes that are under way.",
              .min = 0,
              .max = 10 * kMinute},
    OptionRow{.flag = "--max-stale",
              .env = "MAX_STALE",
              .fallback = "30s",
              .kind = Kind::kDuration,
              .help = "How old a snapshot may be that is served, marked stale, while Prometheus "
                      "fails; 0s serves none.",
              .min = 0,
              .max = 24 * kHour},
    OptionRow{.flag = "--request-timeout",
              .env = "REQUEST_TIMEOUT",
              .fallback = "10s",
              .kind = Kind::kDuration,
              .help = "The time in which a request is answered, one way or the other.",
              .min = 100,
              .max = 10 * kMinute},
    OptionRow{.flag = "--prometheus-timeout",
              .env = "PROMETHEUS_TIMEOUT",
              .fallback = "9s",
              .kind = Kind::kDuration,
              .help = "The time Prometheus gets for one set of queries; at most REQUEST_TIMEOUT. "
                      "The default shrinks with it, to nine tenths.",
              .min = 100,
              .max = 10 * kMinute},
    OptionRow{.flag = "--prometheus-max-concurrency",
              .env = "PROMETHEUS_MAX_CONCURRENCY",
              .fallback = "16",
              .kind = Kind::kInteger,
              .help = "Queries under way at once; one set of queries is never split by it. Past "
                      "instants (`at`) leave room in it for a set of the present, or are asked for "
                      "one at a time.",
              .min = 1,
              .max = 1024},
    OptionRow{.flag = "--prometheus-max-response-bytes",
              .env = "PROMETHEUS_MAX_RESPONSE_BYTES",
              .fallback = "64MiB",
              .kind = Kind::kBytes,
              .help = "The largest answer to one query that is read, decompressed.",
              .min = 64 * kKiB,
              .max = 4 * kGiB},
    OptionRow{.flag = "--drain-delay",
              .env = "DRAIN_DELAY",
              .fallback = "5s",
              .kind = Kind::kDuration,
              .help = "How long the server keeps listening after SIGTERM, not ready, so that load "
                      "balancers look away first. SIGINT skips it.",
              .min = 0,
              .max = 10 * kMinute},
    OptionRow{.flag = "--connection-max-age",
              .env = "CONNECTION_MAX_AGE",
              .fallback = "2m",
              .kind = Kind::kDuration,
              .help = "The age at which a connection is closed after an answer, so that clients "
                      "spread over new replicas; 0s sets no limit.",
              .min = 0,
              .max = 24 * kHour},
    OptionRow{.flag = "--prometheus-bearer-token-file",
              .env = "PROMETHEUS_BEARER_TOKEN_FILE",
              .kind = Kind::kPath,
              .help = "A file with the bearer token for Prometheus; read again when it changes.",
              .allowed = kRegularFile},
    OptionRow{.flag = "--prometheus-basic-auth-file",
              .env = "PROMETHEUS_BASIC_AUTH_FILE",
              .kind = Kind::kPath,
              .help = "A file with user:password for Prometheus; read again when it changes.",
              .allowed = kRegularFile},
    OptionRow{.flag = "--prometheus-ca-file",
              .env = "PROMETHEUS_CA_FILE",
              .kind = Kind::kPath,
              .help = "PEM certificates to trust for Prometheus instead of the system's.",
              .allowed = kRegularFile},
    OptionRow{.flag = "--prometheus-headers-file",
              .env = "PROMETHEUS_HEADERS_FILE",
              .kind = Kind::kPath,
              .help = "A file with `Name: value` lines sent with every query, such as "
                      "X-Scope-OrgID; read again when it changes.",
              .allowed = kRegularFile},
    OptionRow{.flag = "--prometheus-gzip",
              .env = "PROMETHEUS_GZIP",
              .fallback = "auto",
              .kind = Kind::kWord,
              .help = "Whether Prometheus is asked to compress: `auto` does unless PROMETHEUS_URL "
                      "names this machine, where it costs more CPU than it saves.",
              .allowed = "auto|on|off"},
    OptionRow{.flag = "--prometheus-allow-link-local",
              .env = "PROMETHEUS_ALLOW_LINK_LOCAL",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "PROMETHEUS_URL may name a link-local address (169.254.0.0/16, fe80::/10), "
                      "where clouds hand out their machines' credentials."},
    OptionRow{.flag = "--api-bearer-token-file",
              .env = "API_BEARER_TOKEN_FILE",
              .kind = Kind::kPath,
              .help = "A file with the bearer token that clients of this API must send. Probes "
                      "stay open.",
              .allowed = kRegularFile},
    OptionRow{
        .flag = "--allowed-hosts",
        .env = "ALLOWED_HOSTS",
        .kind = Kind::kTextList,
        .help = "The host names that are answered (of the Host header, or of an absolute target), "
                "ports aside; not set: any. Probes and /api/healthz answer to all names.",
        .allowed = "host names or addresses without a port, comma-separated"},
    OptionRow{.flag = "--cors-allowed-origins",
              .env = "CORS_ALLOWED_ORIGINS",
              .kind = Kind::kTextList,
              .help = "Origins whose pages may read the API; not set: none.",
              .allowed = "http(s)://host[:port], comma-separated, or * alone"},
    OptionRow{.flag = "--base-path",
              .env = "BASE_PATH",
              .help = "The path under which everything is served, for a shared host name.",
              .allowed = "/x or /x/y: letters, digits, - . _ ~, no slash at the end"},
    OptionRow{.flag = "--debug-endpoints",
              .env = "DEBUG_ENDPOINTS",
              .fallback = "false",
              .kind = Kind::kWord,
              .help = "Opens /debug/*: `true` to clients on this machine, `all` to everybody.",
              .allowed = "false|true|all",
              .bare = "true"},
    OptionRow{.flag = "--process-commands",
              .env = "PROCESS_COMMANDS",
              .fallback = "redacted",
              .kind = Kind::kWord,
              .help = "What a process row shows of a command line: with its secrets masked, all, "
                      "the program's name only, or nothing.",
              .allowed = "redacted|full|name|hidden"},
    OptionRow{.flag = "--schema-file",
              .env = "SCHEMA_FILE",
              .kind = Kind::kPath,
              .help = "A JSON file with exporter schemas beside the built-in ones; one of a known "
                      "name replaces that.",
              .allowed = kRegularFile},
    OptionRow{.flag = "--health-rules",
              .env = "HEALTH_RULES",
              .help = "Thresholds and factors of health scores that differ from docs/HEALTH.md, as "
                      "`temperature_critical=90, ecc_corrected=ignore`.",
              .allowed = "NAME=VALUE, comma-separated"},
    kMetricsDirRow,
    OptionRow{.flag = "--gpu-prices",
              .env = "GPU_PRICES",
              .help = "What an hour of a GPU costs, by model, for the cost of idle GPUs, as "
                      "`NVIDIA H100*=2.5, *=1`: the first that matches counts.",
              .allowed = "MODEL=PRICE, comma-separated, * for any text in the model"},
    OptionRow{.flag = "--stream-max-clients",
              .env = "STREAM_MAX_CLIENTS",
              .fallback = "1000",
              .kind = Kind::kInteger,
              .help = "Clients that may follow /api/v1/gpu/stream at once, but never more than "
                      "half of the connections; others are told 503.",
              .min = 0,
              .max = 100'000},
    OptionRow{.flag = "--ready-requires-prometheus",
              .env = "READY_REQUIRES_PROMETHEUS",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "/readyz fails while Prometheus is away."},
    kConfigFileRow,
    OptionRow{.flag = "--threads",
              .fallback = "2",
              .kind = Kind::kInteger,
              .help = "Threads that read and write connections.",
              .min = 1,
              .max = 64},
    OptionRow{.flag = "--port-file",
              .help = "A file to write the HTTP port to once it is open, for supervisors.",
              .allowed = "a new file in an existing folder, or a regular one that is replaced"},
    OptionRow{.flag = "--check-config",
              .fallback = "false",
              .kind = Kind::kBool,
              .help = "Reads all options and the files they name, as a start does, and exits: 0 "
                      "when it would start. Opens no port and writes no file."},
    OptionRow{.flag = "--healthcheck",
              .help = "Asks the server on this machine for a path instead of serving; exits with "
                      "0 when it answers 200, else with 1.",
              .allowed = "a path like /readyz",
              .bare = "/livez"},
};

using Problem = std::optional<Status>;

Problem ReadEndpoints(const Values& values, ServerConfig& config) {
  auto http = ReadEndpoint(values);
  if (!http) return http.error();
  config.listen_host = std::move(http->host);
  config.port = http->port;
  config.grpc_health_port = static_cast<std::uint16_t>(values.Integer("--grpc-health-port"));
  if (config.grpc_health_port != 0 && config.grpc_health_port == config.port) {
    return values.Refuse("--grpc-health-port", "is also the HTTP port",
                         "another port, or 0 to switch it off");
  }
  return std::nullopt;
}

Problem ReadTimes(const Values& values, ServerConfig& config) {
  config.cache_ttl = values.Duration("--cache-ttl");
  config.max_stale = values.Duration("--max-stale");
  config.request_timeout = values.Duration("--request-timeout");
  config.prometheus_timeout = values.Duration("--prometheus-timeout");
  config.drain_delay = values.Duration("--drain-delay");
  config.connection_max_age = values.Duration("--connection-max-age");
  if (config.prometheus_timeout <= config.request_timeout) return std::nullopt;
  if (values.Given("--prometheus-timeout")) {
    return values.Refuse("--prometheus-timeout",
                         "exceeds --request-timeout from " + values.Where("--request-timeout"),
                         "at most --request-timeout; raise that too");
  }
  config.prometheus_timeout = config.request_timeout * 9 / 10;
  return std::nullopt;
}

Problem ReadPrometheus(const Values& values, ServerConfig& config) {
  config.prometheus_urls = values.List("--prometheus-url");
  if (config.prometheus_urls.empty()) {
    return values.Refuse("--prometheus-url", "names no Prometheus");
  }
  const bool allowed = values.Bool("--prometheus-allow-link-local");
  for (std::string& url : config.prometheus_urls) {
    if (!allowed && IsLinkLocalUrl(url)) {
      return values.Refuse("--prometheus-url",
                           "names a link-local address, as clouds' metadata services have",
                           "another address, or this one with --prometheus-allow-link-local");
    }
    while (url.ends_with('/')) url.pop_back();
  }
  config.prometheus_max_concurrency =
      static_cast<std::size_t>(values.Integer("--prometheus-max-concurrency"));
  config.prometheus_max_response_bytes = values.Bytes("--prometheus-max-response-bytes");
  const std::string& gzip = values.Text("--prometheus-gzip");
  config.prometheus_gzip = gzip == "on"    ? PrometheusGzip::kOn
                           : gzip == "off" ? PrometheusGzip::kOff
                                           : PrometheusGzip::kAuto;
  config.prometheus_bearer_token_file = values.Text("--prometheus-bearer-token-file");
  config.prometheus_basic_auth_file = values.Text("--prometheus-basic-auth-file");
  config.prometheus_ca_file = values.Text("--prometheus-ca-file");
  config.prometheus_headers_file = values.Text("--prometheus-headers-file");
  const bool bearer = !config.prometheus_bearer_token_file.empty();
  const bool basic = !config.prometheus_basic_auth_file.empty();
  const bool in_url = std::any_of(config.prometheus_urls.begin(), config.prometheus_urls.end(),
                                  [](const std::string& url) { return HasUserInfo(url); });
  constexpr std::string_view kOne = "one way to authenticate to Prometheus";
  if (bearer && basic) {
    return values.Refuse("--prometheus-basic-auth-file",
                         "contradicts --prometheus-bearer-token-file from " +
                             values.Where("--prometheus-bearer-token-file"),
                         kOne);
  }
  if (in_url && (bearer || basic)) {
    const std::string_view file =
        bearer ? "--prometheus-bearer-token-file" : "--prometheus-basic-auth-file";
    return values.Refuse(file, "contradicts the user in --prometheus-url", kOne);
  }
  return std::nullopt;
}

Problem ReadAccess(const Values& values, ServerConfig& config) {
  config.api_bearer_token_file = values.Text("--api-bearer-token-file");
  for (const std::string& text : values.List("--allowed-hosts")) {
    auto host = ParseHost(text);
    if (!host) return values.Refuse("--allowed-hosts", host.error().message);
    config.allowed_hosts.push_back(*std::move(host));
  }
  const auto& origins = values.List("--cors-allowed-origins");
  for (const std::string& text : origins) {
    auto origin = text == "*" ? Result<std::string>(text) : ParseOrigin(text);
    if (!origin) return values.Refuse("--cors-allowed-origins", origin.error().message);
    if (text == "*" && origins.size() > 1) {
      return values.Refuse("--cors-allowed-origins", "has * beside other origins");
    }
    config.cors_allowed_origins.push_back(*std::move(origin));
  }
  config.base_path = values.Text("--base-path");
  if (auto status = CheckBasePath(config.base_path)) {
    return values.Refuse("--base-path", status->message);
  }
  const std::string& debug = values.Text("--debug-endpoints");
  config.debug_endpoints = debug == "all"    ? DebugEndpoints::kEverybody
                           : debug == "true" ? DebugEndpoints::kLoopback
                                             : DebugEndpoints::kOff;
  const std::string& commands = values.Text("--process-commands");
  config.process_commands = commands == "full"     ? ProcessCommands::kFull
                            : commands == "name"   ? ProcessCommands::kName
                            : commands == "hidden" ? ProcessCommands::kHidden
                                                   : ProcessCommands::kRedacted;
  return std::nullopt;
}

Problem ReadJudging(const Values& values, ServerConfig& config) {
  const auto level = log::ParseLevel(values.Text("--log-level"));
  if (!level) return values.Refuse("--log-level", "is no level", level.error().message);
  config.log_level = *level;
  config.schema_file = values.Text("--schema-file");
  config.health_rules = values.Text("--health-rules");
  return std::nullopt;
}

Problem ReadRunning(const Values& values, ServerConfig& config) {
  config.gpu_prices = values.Text("--gpu-prices");
  config.ready_requires_prometheus = values.Bool("--ready-requires-prometheus");
  config.threads = static_cast<int>(values.Integer("--threads"));
  config.stream_max_clients = static_cast<std::size_t>(values.Integer("--stream-max-clients"));
  config.port_file = values.Text("--port-file");
  config.check_config = values.Bool("--check-config");
  if (values.Given("--healthcheck")) {
    config.healthcheck = values.Text("--healthcheck");
    if (!config.healthcheck->starts_with('/')) {
      return values.Refuse("--healthcheck", "does not begin with a slash");
    }
  }
  return std::nullopt;
}

}  // namespace

Rows ServerOptionRows() {
  return kRows;
}

Result<ServerConfig> MakeServerConfig(const Values& values, const Environment& environment) {
  ServerConfig config;
  for (const auto read :
       {ReadEndpoints, ReadTimes, ReadPrometheus, ReadAccess, ReadJudging, ReadRunning}) {
    if (auto problem = read(values, config)) return Error(*std::move(problem));
  }
  config.metrics_dir = MetricsDirOf(values, environment);
  return config;
}

Result<ServerConfig> MakePrometheusConfig(const Values& values) {
  ServerConfig config;
  config.prometheus_timeout = values.Duration("--prometheus-timeout");
  for (const auto read : {ReadPrometheus, ReadJudging}) {
    if (auto problem = read(values, config)) return Error(*std::move(problem));
  }
  return config;
}

}  // namespace gpumon::config
