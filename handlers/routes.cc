// THE route table.
#include <algorithm>
#include <array>

#include "handlers/about.h"
#include "handlers/api.h"
#include "handlers/debug.h"
#include "handlers/gpu.h"
#include "handlers/gpu_health.h"
#include "handlers/health.h"
#include "handlers/health_history.h"
#include "handlers/join.h"
#include "handlers/schema.h"
#include "handlers/summary.h"
#include "handlers/usage.h"

namespace gpumon::handlers {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kBinary = "application/octet-stream";

constexpr std::array kRoutes = {
    RouteRow{"/", "GET", Guard::kToken, GetRoot, "Service information.", kJson, Form::kData,
             "Service"},
    RouteRow{"/api", "GET", Guard::kToken, GetApi, "All routes.", kJson, Form::kData, "[]Route"},
    RouteRow{.path = "/api/healthz",
             .methods = "GET",
             .guard = Guard::kOpen,
             .handler = GetHealthz,
             .summary = "Whether Prometheus can be reached, for people and uptime checks.",
             .content_type = kJson,
             .form = Form::kData,
             .data = "Health",
             .log_503 = log::Level::kWarning},
    RouteRow{"/api/openapi.json", "GET", Guard::kToken, GetOpenApi, "This API as OpenAPI 3.",
             kJson},
    RouteRow{"/api/v1/gpu/metrics", "GET", Guard::kToken, GetGpuMetrics,
             "One row per GPU: utilization, memory, temperature.", kJson, Form::kList,
             "[]GpuMetrics", GpuListParameters},
    RouteRow{"/api/v1/gpu/processes", "GET", Guard::kToken, GetGpuProcesses,
             "One row per process on a GPU.", kJson, Form::kList, "[]GpuProcess",
             ProcessListParameters},
    RouteRow{"/api/v1/gpu/fields", "GET", Guard::kToken, GetFields,
             "Every field of metrics and processes: name, unit, meaning.", kJson, Form::kTagged,
             "[]Field"},
    RouteRow{"/api/v1/gpu/workloads", "GET", Guard::kToken, GetWorkloads,
             "GPUs, share, utilization and memory of each pod, namespace or owner.", kJson,
             Form::kList, "[]WorkloadUsage", WorkloadParameters},
    RouteRow{"/api/v1/gpu/users", "GET", Guard::kToken, GetUsers,
             "GPUs, processes and memory of each user.", kJson, Form::kList, "[]UserUsage",
             UserParameters},
    RouteRow{"/api/v1/gpu/summary", "GET", Guard::kToken, GetSummary,
             "GPUs by state, health, utilization, memory, power, users and pods: of the fleet, or "
             "of each node or model.",
             kJson, Form::kList, "[]GpuSummary", SummaryParameters},
    RouteRow{"/api/v1/gpu/health", "GET", Guard::kToken, GetGpuHealth,
             "Score, level and findings of each GPU, node, model, or of the fleet.", kJson,
             Form::kList, "[]GpuHealth", GpuHealthParameters},
    RouteRow{"/api/v1/gpu/health/history", "GET", Guard::kToken, GetHealthHistory,
             "Stored snapshots of tasks and what they say together.", kJson, Form::kData,
             "HealthHistory", HealthHistoryParameters},
    RouteRow{"/api/v1/gpu/schema", "GET", Guard::kToken, GetSchema,
             "Per field: what gives it here, for how many rows, and what would fill the gap.",
             kJson, Form::kData, "Schema"},
    RouteRow{"/livez", "GET", Guard::kOpen, GetLivez,
             "Liveness: depends on nothing outside the process.", kText, Form::kPlain, "",
             ProbeParameters},
    RouteRow{.path = "/readyz",
             .methods = "GET",
             .guard = Guard::kOpen,
             .handler = GetReadyz,
             .summary = "Readiness.",
             .content_type = kText,
             .parameters = ProbeParameters,
             .log_503 = log::Level::kInfo},
    RouteRow{.path = "/startupz",
             .methods = "GET",
             .guard = Guard::kOpen,
             .handler = GetStartupz,
             .summary = "Startup: the first refresh has ended.",
             .content_type = kText,
             .parameters = ProbeParameters,
             .log_503 = log::Level::kInfo},
    RouteRow{"/metrics", "GET", Guard::kToken, GetOwnMetrics,
             "The server's own metrics for Prometheus.",
             "text/plain; version=0.0.4; charset=utf-8"},
    RouteRow{
        "/api/v1/debug/join", "GET", Guard::kDebug, GetJoin,
        "One GPU's row: every sample that fed it or lost, and why; findings of the whole join.",
        kJson, Form::kData, "JoinReport", JoinParameters},
    RouteRow{"/debug/vars", "GET", Guard::kDebug, GetDebugVars,
             "Command line, memory, uptime, counters.", kJson},
    RouteRow{"/debug/pprof/", "GET", Guard::kDebug, GetPprofIndex, "The profiles there are.",
             kText},
    RouteRow{.path = "/debug/pprof/profile",
             .methods = "GET",
             .guard = Guard::kDebug,
             .handler = GetCpuProfile,
             .summary = "CPU profile for go tool pprof; one at a time.",
             .content_type = kBinary,
             .parameters = CpuProfileParameters,
             .unlimited_time = true,
             .log_503 = log::Level::kWarning},  // the server ends
    RouteRow{"/debug/pprof/heap", "GET", Guard::kDebug, GetHeapProfile,
             "Heap profile for go tool pprof.", kText, Form::kPlain, "", HeapProfileParameters},
    RouteRow{"/debug/pprof/cmdline", "GET", Guard::kDebug, GetCommandLine,
             "Command line, secrets masked, NUL between arguments.", kText},
    RouteRow{.path = "/debug/pprof/symbol",
             .methods = "GET|POST",
             .guard = Guard::kDebug,
             .handler = Symbolize,
             .summary = "Names of addresses: 0xADDR+0xADDR as the query, or as the body of a POST.",
             .content_type = kText,
             .own_query = true,
             .large_body = true},
};

constexpr std::size_t CountOpen() {
  std::size_t open = 0;
  while (open < kRoutes.size() && kRoutes[open].guard != Guard::kDebug) ++open;
  return open;
}
constexpr std::size_t kWithoutDebug = CountOpen();
static_assert(
    [] {
      for (std::size_t i = kWithoutDebug; i < kRoutes.size(); ++i) {
        if (kRoutes[i].guard != Guard::kDebug) return false;
      }
      return true;
    }(),
    "debug routes come last");
static_assert(std::all_of(kRoutes.begin(), kRoutes.end(),
                          [](const RouteRow& route) {
                            return (route.form == Form::kPlain) == route.data.empty();
                          }),
              "an envelope has data, and what has none is plain");

}  // namespace

std::span<const RouteRow> Routes() {
  return kRoutes;
}

std::span<const RouteRow> RoutesThatExist(DebugAccess debug) {
  return debug == DebugAccess::kOff ? Routes().first(kWithoutDebug) : Routes();
}

}  // namespace gpumon::handlers
