#include "handlers/health.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/text.h"
#include "internal/json/writer.h"

namespace gpumon::handlers {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

struct Check {
  std::string_view name;
  bool ok;
  std::string_view why;  // when not ok
};

// Kubernetes reads the status alone; people ask with ?verbose.
void SendChecks(const CallPtr& call, const std::vector<Check>& checks) {
  bool all = true;
  std::string lines;
  std::string first_why;
  for (const auto& check : checks) {
    lines += check.ok ? "[+]" : "[-]";
    lines += check.name;
    if (check.ok) {
      lines += " ok\n";
      continue;
    }
    lines += " failed: " + std::string(check.why) + '\n';
    if (all) first_why = check.why;
    all = false;
  }
  const std::string verdict = all ? "ok" : "not ok: " + first_why;
  const bool verbose = call->parameters().Flag("verbose");
  call->SendText(all ? 200 : 503, verbose ? lines + verdict : verdict, kText);
}

Check FirstRefresh(const Services& services) {
  return {"first-refresh", services.lifecycle.first_refresh_ended.load(),
          "the first refresh from Prometheus has not ended yet"};
}

std::vector<Check> ReadyChecks(const Services& services) {
  std::vector<Check> checks = {
      FirstRefresh(services),
      {"draining", !services.lifecycle.draining.load(), "the server is shutting down"}};
  if (services.settings.ready_requires_prometheus) {
    checks.push_back(
        {"prometheus", services.reachability().reachable, "Prometheus cannot be reached"});
  }
  return checks;
}

std::string HealthData(const Services& services, const gpu::Reachability& seen) {
  json::Writer writer;
  writer.BeginObject();
  writer.Key("status");
  writer.String("healthy");
  writer.Key("timestamp");
  writer.String(FormatTime(services.clock.Wall()));
  writer.Key("version");
  writer.String(services.settings.version);
  writer.Key("prometheus");
  writer.BeginObject();
  writer.Key("url_host");
  writer.String(services.settings.prometheus_hosts);
  writer.Key("reachable");
  writer.Bool(seen.reachable);
  writer.Key("latency_ms");
  writer.Number(seen.latency_ms);
  writer.Key("checked_at");
  writer.String(FormatTime(seen.checked_at));
  writer.EndObject();
  writer.EndObject();
  return writer.Take();
}

}  // namespace

void GetHealthz(const CallPtr& call) {
  const gpu::Reachability seen = call->services().reachability();
  if (seen.reachable) {
    call->SendData(HealthData(call->services(), seen), "Service is healthy");
    return;
  }
  Status status;
  status.code = seen.checked ? seen.why.code : Code::kUpstreamNotReady;
  status.message = "Prometheus connection failed";
  call->SendError(status, 503);
}

void GetLivez(const CallPtr& call) {
  SendChecks(call, {{"ping", true, ""}});
}

void GetStartupz(const CallPtr& call) {
  SendChecks(call, {FirstRefresh(call->services())});
}

void GetReadyz(const CallPtr& call) {
  SendChecks(call, ReadyChecks(call->services()));
}

bool IsReady(const Services& services) {
  for (const auto& check : ReadyChecks(services)) {
    if (!check.ok) return false;
  }
  return true;
}

std::span<const ParameterSpec> ProbeParameters() {
  static constexpr std::array kParameters = {ParameterSpec{
      .name = "verbose", .kind = ParameterKind::kFlag, .help = "One line per check."}};
  return kParameters;
}

}  // namespace gpumon::handlers
