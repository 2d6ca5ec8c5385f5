// THE route table.
#include <algorithm>
#include <array>

#include "handlers/about.h"
#include "handlers/alerts.h"
#include "handlers/api.h"
#include "handlers/dashboard.h"
#include "handlers/debug.h"
#include "handlers/dstack.h"
#include "handlers/events.h"
#include "handlers/gpu.h"
#include "handlers/gpu_health.h"
#include "handlers/hakuriver.h"
#include "handlers/health.h"
#include "handlers/health_history.h"
#include "handlers/history.h"
#include "handlers/idle.h"
#include "handlers/join.h"
#include "handlers/ledger.h"
#include "handlers/missing.h"
#include "handlers/nodes.h"
#include "handlers/schema.h"
#include "handlers/stream.h"
#include "handlers/summary.h"
#include "handlers/tasks.h"
#include "handlers/usage.h"

namespace gpumon::handlers {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kAny = "*/*";
constexpr std::string_view kBinary = "application/octet-stream";

constexpr std::array kRoutes = {
    RouteRow{.path = "/",
             .methods = "GET",
             .guard = Guard::kPage,
             .handler = GetRoot,
             .summary = "The dashboard for who accepts text/html, else service information.",
             .content_type = kJson,
             .form = Form::kData,
             .data = "Service",
             .other_type = kHtml},
    RouteRow{"/assets/{file}", "GET", Guard::kPage, GetAsset, "Files of the dashboard.", kAny},
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
    RouteRow{"/api/v1/gpu/nodes", "GET", Guard::kToken, GetNodes,
             "One row per node with GPUs: status, GPUs by state, health, what Kubernetes can give, "
             "CPU, memory, disks, network, exporters.",
             kJson, Form::kList, "[]GpuNode", NodeListParameters},
    RouteRow{"/api/v1/gpu/nodes/{node}", "GET", Guard::kToken, GetNode, "One of these nodes.",
             kJson, Form::kList, "GpuNode", NodeParameters},
    RouteRow{"/api/v1/gpu/tasks", "GET", Guard::kToken, GetTasks,
             "One row per pod that asks for GPUs and per Job of such pods: phase, why it waits, "
             "requests, times, exit code, error.",
             kJson, Form::kList, "[]GpuTask", TaskListParameters},
    RouteRow{"/api/v1/gpu/tasks/{namespace}/{name}", "GET", Guard::kToken, GetTask,
             "One of these tasks, with its GPUs and, of a Job, its pods.", kJson, Form::kList,
             "GpuTaskDetail", TaskParameters},
    RouteRow{"/api/v1/gpu/health", "GET", Guard::kToken, GetGpuHealth,
             "Score, level and findings of each GPU, node, model, or of the fleet.", kJson,
             Form::kList, "[]GpuHealth", GpuHealthParameters},
    RouteRow{"/api/v1/gpu/health/history", "GET", Guard::kToken, GetHealthHistory,
             "Stored snapshots of tasks and what they say together.", kJson, Form::kData,
             "HealthHistory", HealthHistoryParameters},
    RouteRow{"/api/v1/gpu/history", "GET", Guard::kToken, GetHistory,
             "One field over a window: mean, least and most of each step, for each GPU, node or "
             "model, or the cluster.",
             kJson, Form::kList, "[]GpuHistory", HistoryParameters},
    RouteRow{
        "/api/v1/gpu/events", "GET", Guard::kToken, GetEvents,
        "What happened to GPUs in a window: XIDs, ECC errors, throttling, heat, GPUs that were "
        "lost or returned, exporters that were down; with whose they were.",
        kJson, Form::kList, "[]GpuEvent", EventParameters},
    RouteRow{
        "/api/v1/gpu/ledger", "GET", Guard::kToken, GetLedger,
        "Where GPU time went in a window: busy, idle but held, free, unhealthy and unknown, by "
        "node, model, GPU, namespace, pod or user. It adds up.",
        kJson, Form::kList, "[]LedgerAccount", LedgerParameters},
    RouteRow{"/api/v1/gpu/idle", "GET", Guard::kToken, GetIdle,
             "GPUs that somebody held and did not use in a window: who, since when, how long.",
             kJson, Form::kList, "[]IdleGpu", IdleParameters},
    RouteRow{"/api/v1/gpu/missing", "GET", Guard::kToken, GetMissing,
             "GPUs that a window showed and its end does not: since when, whose they were, and "
             "whether the exporter, the node or the GPU itself is gone.",
             kJson, Form::kList, "[]MissingGpu", MissingParameters},
    RouteRow{"/api/v1/gpu/alerts", "GET", Guard::kToken, GetAlerts,
             "Alerts of the rules of the connected Prometheus, firing and pending: since when, and "
             "which GPU they are about.",
             kJson, Form::kList, "[]GpuAlert", AlertParameters},
    RouteRow{.path = "/api/v1/gpu/stream",
             .methods = "GET",
             .guard = Guard::kToken,
             .handler = GetStream,
             .summary = "The rows of metrics as Server-Sent Events: all of them, then those that "
                        "change.",
             .content_type = "text/event-stream",
             .parameters = StreamParameters,
             .unlimited_time = true,
             .log_503 = log::Level::kWarning},
    RouteRow{"/api/v1/gpu/schema", "GET", Guard::kToken, GetSchema,
             "Per field: what gives it here, for how many rows, and what would fill the gap.",
             kJson, Form::kData, "Schema"},
    RouteRow{"/api/v1/hakuriver/nodes", "GET", Guard::kToken, GetHakuRiverNodes,
             "Nodes of the HakuRiver host of HAKURIVER_URL: status, cores, CPU, memory, GPUs.",
             kJson, Form::kList, "[]HakuRiverNode", HakuRiverNodeParameters},
    RouteRow{"/api/v1/hakuriver/health", "GET", Guard::kToken, GetHakuRiverHealth,
             "The newest sample of each of these nodes, and CPU and memory of the last minute.",
             kJson, Form::kList, "[]HakuRiverHealth", HakuRiverHealthParameters},
    RouteRow{"/api/v1/hakuriver/tasks", "GET", Guard::kToken, GetHakuRiverTasks,
             "Its command tasks.", kJson, Form::kList, "[]HakuRiverTask", HakuRiverTasksParameters},
    RouteRow{"/api/v1/hakuriver/vps", "GET", Guard::kToken, GetHakuRiverVps,
             "Its VPS tasks that have not ended.", kJson, Form::kList, "[]HakuRiverVps",
             HakuRiverVpsParameters},
    RouteRow{"/api/v1/hakuriver/tasks/{id}", "GET", Guard::kToken, GetHakuRiverTask,
             "One of its tasks, of either kind.", kJson, Form::kList, "HakuRiverTask",
             HakuRiverTaskParameters},
    RouteRow{"/api/v1/hakuriver/tasks/{id}/stdout", "GET", Guard::kToken, GetHakuRiverStdout,
             "What a command task has printed, at most 1 MiB.", kJson, Form::kData, "HakuRiverLog",
             HakuRiverLogParameters, kText},
    RouteRow{"/api/v1/hakuriver/tasks/{id}/stderr", "GET", Guard::kToken, GetHakuRiverStderr,
             "What it has printed to standard error.", kJson, Form::kData, "HakuRiverLog",
             HakuRiverLogParameters, kText},
    RouteRow{.path = "/health",
             .methods = "GET",
             .guard = Guard::kOpen,
             .handler = GetBackendInfo,
             .summary = "Whether the DStack VMM of DSTACK_URL is there, and its GPUs, as a worker "
                        "of Dephy reads it.",
             .content_type = kJson,
             .form = Form::kBare,
             .data = "BackendInfo",
             .own_query = true,
             .log_503 = log::Level::kInfo},
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

constexpr std::array kPathParameters = {
    ParameterSpec{.name = "node", .kind = ParameterKind::kName, .help = "Name of the node."},
    ParameterSpec{.name = "namespace", .kind = ParameterKind::kName, .help = "Its namespace."},
    ParameterSpec{.name = "name", .kind = ParameterKind::kName, .help = "Name of the pod or Job."},
    ParameterSpec{.name = "file", .kind = ParameterKind::kName, .help = "Name of the file."},
    ParameterSpec{.name = "id", .kind = ParameterKind::kName, .help = "Id of the task: digits."},
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

std::vector<const ParameterSpec*> PathParametersOf(std::string_view path) {
  std::vector<const ParameterSpec*> found;
  for (auto at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1)) {
    const std::string_view name = path.substr(at + 1, path.find('}', at) - at - 1);
    found.push_back(std::find_if(kPathParameters.begin(), kPathParameters.end(),
                                 [name](const auto& spec) { return spec.name == name; }));
  }
  return found;
}

std::span<const RouteRow> Routes() {
  return kRoutes;
}

std::span<const RouteRow> RoutesThatExist(DebugAccess debug) {
  return debug == DebugAccess::kOff ? Routes().first(kWithoutDebug) : Routes();
}

}  // namespace gpumon::handlers
