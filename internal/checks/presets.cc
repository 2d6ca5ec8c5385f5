#include "internal/checks/presets.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace gpumon::checks {
namespace {

// In the order of Kind.
constexpr std::array kKinds = {
    KindRow{Kind::kPostgres, "postgres", "PostgreSQL", false},
    KindRow{Kind::kRedis, "redis", "Redis", false},
    KindRow{Kind::kEtcd, "etcd", "etcd", true},
    KindRow{Kind::kManager, "manager", "Manager API", true},
    KindRow{Kind::kAgent, "agent", "Agent", true},
    KindRow{Kind::kPrometheus, "prometheus", "Prometheus", true},
    KindRow{Kind::kGrafana, "grafana", "Grafana", true},
};

struct Service {
  Kind kind;
  std::string_view address;
};

constexpr std::array kHalfstackServices = {
    Service{Kind::kPostgres, "127.0.0.1:8101"},
    Service{Kind::kRedis, "127.0.0.1:8111"},
    Service{Kind::kEtcd, "http://127.0.0.1:8121"},
    Service{Kind::kManager, "http://127.0.0.1:8081"},
    Service{Kind::kPrometheus, "http://127.0.0.1:9090"},
    Service{Kind::kGrafana, "http://127.0.0.1:3000"},
};
constexpr std::array kLablupServices = {
    Service{Kind::kPostgres, "127.0.0.1:8100"},
    Service{Kind::kRedis, "127.0.0.1:8110"},
    Service{Kind::kEtcd, "http://127.0.0.1:8120"},
    Service{Kind::kManager, "http://127.0.0.1:8091"},
    Service{Kind::kAgent, "http://127.0.0.1:6003"},
    Service{Kind::kPrometheus, "http://127.0.0.1:9090"},
    Service{Kind::kGrafana, "http://127.0.0.1:3000"},
};

std::vector<Target> TargetsOf(std::span<const Service> services) {
  std::vector<Target> targets;
  for (const Service& service : services) {
    auto target = ParseTarget(service.kind, service.address);
    if (target) targets.push_back(*std::move(target));
  }
  return targets;
}

const std::vector<std::string>& ConfigFiles() {
  static const std::vector<std::string> kFiles = {"manager.toml", "agent.toml",
                                                  "storage-proxy.toml", "env-local-admin-api.sh",
                                                  "docker-compose.halfstack.yml"};
  return kFiles;
}

const std::array<Preset, 3>& Presets() {
  static const std::array<Preset, 3> kPresets = {
      Preset{"halfstack",
             {"backend.ai-halfstack-postgres-1", "backend.ai-halfstack-redis-1",
              "backend.ai-halfstack-etcd-1", "backend.ai-halfstack-prometheus-1",
              "backend.ai-halfstack-grafana-1", "backend.ai-halfstack-loki-1",
              "backend.ai-halfstack-tempo-1", "backend.ai-halfstack-pyroscope-1",
              "backend.ai-halfstack-node-exporter-1", "backend.ai-halfstack-otel-collector-1"},
             TargetsOf(kHalfstackServices),
             ConfigFiles()},
      Preset{"lablup",
             {"backendai-half-db", "backendai-half-redis", "backendai-half-etcd",
              "backendai-half-prometheus", "backendai-half-grafana", "backendai-half-loki",
              "backendai-half-tempo", "backendai-half-pyroscope", "backendai-half-node-exporter",
              "backendai-half-otel-collector"},
             TargetsOf(kLablupServices),
             ConfigFiles()},
      Preset{"none", {}, {}, {}},
  };
  return kPresets;
}

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

// "host", "host:80", "[::1]:80"; a `fallback` of 0 wants a port. Nothing when it is none of these.
std::optional<HostPort> ParseHostPort(std::string_view text, std::uint16_t fallback) {
  HostPort out;
  out.port = fallback;
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = text.substr(1, end - 1);
    ++end;
  } else {
    out.host = text.substr(0, end);
  }
  text.remove_prefix(std::min(text.size(), end));
  if (out.host.empty() || out.host.find_first_of(" /@?#,") != std::string::npos) {
    return std::nullopt;
  }
  if (text.empty()) return out.port == 0 ? std::nullopt : std::optional(out);
  const char* const last = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, last, out.port);
  if (text[0] != ':' || error != std::errc() || stop != last || out.port == 0) return std::nullopt;
  return out;
}

std::optional<Target> ParseWeb(Target target, std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  const bool tls = url.starts_with(kHttps);
  if (!tls && !url.starts_with(kHttp)) return std::nullopt;
  if (url.find_first_of("?# ") != std::string_view::npos) return std::nullopt;
  while (url.ends_with('/')) url.remove_suffix(1);
  std::string_view place = url.substr(std::min(url.size(), (tls ? kHttps : kHttp).size()));
  place = place.substr(0, place.find('/'));
  const std::size_t at = place.rfind('@');
  if (at != std::string_view::npos) place.remove_prefix(at + 1);
  const auto where = ParseHostPort(place, tls ? 443 : 80);
  if (!where) return std::nullopt;
  target.url = url;
  target.host = where->host;
  target.port = where->port;
  return target;
}

}  // namespace

std::span<const KindRow> Kinds() {
  return kKinds;
}

const KindRow& RowOf(Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

Result<Target> ParseTarget(Kind kind, std::string_view text) {
  const KindRow& row = RowOf(kind);
  Target target{kind, std::string(row.name), "", "", 0};
  // A name has no colon, so that what is behind the `=` of a URL stays there.
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && equals > 0 && equals < text.find(':')) {
    target.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
  }
  if (row.is_web) {
    auto web = ParseWeb(target, text);
    if (web) return *std::move(web);
    return Error(Code::kInvalidParameter, "has an entry that is no http:// or https:// URL");
  }
  const auto where = ParseHostPort(text, 0);
  if (!where) return Error(Code::kInvalidParameter, "has an entry that is no host:port");
  target.host = where->host;
  target.port = where->port;
  return target;
}

Port PortOf(const Target& target) {
  return {target.name, target.host, target.port};
}

const Preset* FindPreset(std::string_view name) {
  const auto& presets = Presets();
  const auto found = std::find_if(presets.begin(), presets.end(),
                                  [&](const Preset& preset) { return preset.name == name; });
  return found == presets.end() ? nullptr : &*found;
}

}  // namespace gpumon::checks
