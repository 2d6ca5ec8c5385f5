#include "internal/config/server_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "internal/config/address.h"
#include "internal/config/endpoint.h"
#include "internal/config/metrics_dir.h"

namespace gpumon::config {
namespace {

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

Problem ReadHakuRiver(const Values& values, ServerConfig& config) {
  config.hakuriver_url = values.Text("--hakuriver-url");
  config.hakuriver_token_file = values.Text("--hakuriver-token-file");
  if (config.hakuriver_url.empty()) {
    if (config.hakuriver_token_file.empty()) return std::nullopt;
    return values.Refuse("--hakuriver-token-file", "is for --hakuriver-url, which is not set");
  }
  if (const auto wrong = CheckUrl(config.hakuriver_url)) {
    return values.Refuse("--hakuriver-url", wrong->message);
  }
  while (config.hakuriver_url.ends_with('/')) config.hakuriver_url.pop_back();
  if (!config.hakuriver_token_file.empty() && HasUserInfo(config.hakuriver_url)) {
    return values.Refuse("--hakuriver-token-file", "contradicts the user in --hakuriver-url");
  }
  return std::nullopt;
}

Problem ReadRunning(const Values& values, ServerConfig& config) {
  config.gpu_prices = values.Text("--gpu-prices");
  config.dstack_url = values.Text("--dstack-url");
  config.dstack_asked_for = values.Given("--dstack-url");
  config.dstack_interval = values.Duration("--dstack-interval");
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

Result<ServerConfig> MakeServerConfig(const Values& values, const Environment& environment) {
  ServerConfig config;
  for (const auto read : {ReadEndpoints, ReadTimes, ReadPrometheus, ReadAccess, ReadJudging,
                          ReadHakuRiver, ReadRunning}) {
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
