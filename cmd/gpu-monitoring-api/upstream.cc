#include "cmd/gpu-monitoring-api/upstream.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "internal/base/regular_file.h"

namespace gpumon::api {
namespace {

// A set that is larger than the budget runs alone and whole.
constexpr std::size_t kRoomForASet = 16;

fetch::Gzip GzipOf(config::PrometheusGzip gzip) {
  switch (gzip) {
    case config::PrometheusGzip::kOn:
      return fetch::Gzip::kAlways;
    case config::PrometheusGzip::kOff:
      return fetch::Gzip::kNever;
    case config::PrometheusGzip::kAuto:
      break;
  }
  return fetch::Gzip::kAcrossMachines;
}

// "host:9090" of "https://user:secret@host:9090/path".
std::string HostOf(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find('/'));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    url.remove_prefix(at + 1);
  }
  return std::string(url);
}

}  // namespace

std::string PrometheusHostsOf(const config::ServerConfig& config) {
  std::string hosts;
  for (const auto& url : config.prometheus_urls) hosts += (hosts.empty() ? "" : ",") + HostOf(url);
  return hosts;
}

fetch::ClientOptions FetchOptionsOf(const config::ServerConfig& config) {
  fetch::ClientOptions options;
  options.name_prefix = "--prometheus-";
  options.bearer_token_file = config.prometheus_bearer_token_file;
  options.basic_auth_file = config.prometheus_basic_auth_file;
  options.ca_file = config.prometheus_ca_file;
  options.headers_file = config.prometheus_headers_file;
  options.gzip = GzipOf(config.prometheus_gzip);
  options.max_connections_per_host = config.prometheus_max_concurrency + kRoomForASet;
  return options;
}

prom::ApiClientOptions ApiOptionsOf(const config::ServerConfig& config) {
  prom::ApiClientOptions options;
  options.urls = config.prometheus_urls;
  options.timeout = config.prometheus_timeout;
  // The collector counts whole sets; the client is only to have room for them and the probe.
  options.max_concurrency = config.prometheus_max_concurrency + kRoomForASet;
  options.max_response_bytes = config.prometheus_max_response_bytes;
  return options;
}

Result<std::optional<schema::Registry>> OwnSchemas(const config::ServerConfig& config) {
  if (config.schema_file.empty()) return std::nullopt;
  const std::string name = "--schema-file: " + config.schema_file;
  const auto text = ReadRegularFile(config.schema_file);
  if (!text) return Error(Code::kInvalidParameter, name + ' ' + text.error().message);
  auto registry = schema::Registry::BuiltIn().With(*text, name);
  if (!registry) return Error(registry.error());
  return *std::move(registry);
}

Result<fleet::HealthRules> HealthRulesOf(const config::ServerConfig& config) {
  auto rules = fleet::ParseHealthRules(config.health_rules);
  if (rules) return *rules;
  return Error(Code::kInvalidParameter, "--health-rules (HEALTH_RULES): " + rules.error().message);
}

Result<dstack::Options> DstackOptionsOf(const config::ServerConfig& config) {
  dstack::Options options;
  auto address = dstack::ParseAddress(config.dstack_url);
  if (!address) {
    return Error(Code::kInvalidParameter,
                 "--dstack-url (DSTACK_URL): the value (not shown, it may hold a secret) is no "
                 "address of a VMM; allowed: http://HOST:PORT, https://HOST or unix:PATH");
  }
  options.address = *std::move(address);
  options.interval = config.dstack_interval;
  options.timeout = std::min(options.timeout, config.request_timeout);
  options.at_once = config.dstack_asked_for;
  return options;
}

}  // namespace gpumon::api
