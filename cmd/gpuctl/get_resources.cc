#include <array>

#include "cmd/gpuctl/get.h"

namespace gpumon::ctl {
namespace {

constexpr CellKind kText = CellKind::kText;
constexpr CellKind kWhole = CellKind::kWhole;
constexpr CellKind kTenths = CellKind::kTenths;
constexpr CellKind kGiB = CellKind::kGiB;
constexpr CellKind kDuration = CellKind::kDuration;
constexpr CellKind kAge = CellKind::kAge;
constexpr CellKind kPods = CellKind::kPods;
constexpr CellKind kMig = CellKind::kMig;

constexpr Column Both(std::string_view title, std::string_view field, CellKind kind = kText) {
  return {title, field, kind};
}
constexpr Column Long(std::string_view title, std::string_view field, CellKind kind = kText) {
  return {title, field, kind, false, true};
}
constexpr Column Wide(std::string_view title, std::string_view field, CellKind kind = kText) {
  return {title, field, kind, true};
}

constexpr std::array kGpus = {
    Long("NODE", "node_name"),
    Both("GPU", "gpu_id"),
    Wide("MIG", "mig", kMig),
    Long("MODEL", "gpu_name"),
    Both("UTIL%", "utilization", kWhole),
    Both("MEM%", "memory_used_percent", kWhole),
    Wide("USED-GiB", "memory_used_bytes", kGiB),
    Wide("TOTAL-GiB", "memory_total_bytes", kGiB),
    Both("TEMP-C", "temperature", kWhole),
    Both("POWER-W", "power", kWhole),
    Wide("LIMIT-W", "power_limit", kWhole),
    Wide("SM-MHz", "sm_clock", kWhole),
    Wide("XID", "xid_last"),
    Wide("THROTTLED", "throttle_reasons"),
    Wide("AGE", "sample_age_seconds", kDuration),
    Wide("SOURCE", "source"),
    Wide("UUID", "uuid"),
    Long("PODS", "workloads", kPods),
};
constexpr std::array<std::string_view, 3> kGpuNames = {"node_name", "gpu_id", "mig"};

constexpr std::array kProcesses = {
    Long("NODE", "node_name"),
    Both("GPU", "gpu_id"),
    Both("PID", "pid", kWhole),
    Long("USER", "user"),
    Both("GPU-MiB", "gpu_memory", kWhole),
    Both("CPU%", "cpu", kWhole),
    Both("MEM%", "memory", kTenths),
    Wide("NAMESPACE", "namespace"),
    Wide("POD", "pod"),
    Wide("CONTAINER", "container"),
    Long("NAME", "process_name"),
    Wide("COMMAND", "command"),
};
constexpr std::array<std::string_view, 3> kProcessNames = {"node_name", "gpu_id", "pid"};

constexpr std::array kNodes = {
    Long("NODE", "node_name"),
    Both("STATUS", "status"),
    Both("LEVEL", "level"),
    Both("GPUS", "gpu_count", kWhole),
    Both("BUSY", "busy", kWhole),
    Both("IDLE", "idle_held", kWhole),
    Both("FREE", "free", kWhole),
    Both("BAD", "unhealthy", kWhole),
    Wide("UNKNOWN", "unknown", kWhole),
    Wide("LOST", "gpus_lost", kWhole),
    Both("UTIL%", "utilization", kWhole),
    Wide("USED-GiB", "memory_used_bytes", kGiB),
    Wide("TOTAL-GiB", "memory_total_bytes", kGiB),
    Both("POWER-W", "power", kWhole),
    Wide("MAX-TEMP-C", "temperature_max", kWhole),
    Wide("CPU%", "cpu", kWhole),
    Wide("LOAD1", "load1", kTenths),
    Wide("HOST-MEM%", "host_memory_used_percent", kWhole),
    Wide("SEEN", "last_seen", kAge),
    Wide("MODELS", "models"),
    Wide("NAMESPACES", "namespaces"),
    Wide("WHY", "status_reason"),
};
constexpr std::array<std::string_view, 1> kNodeNames = {"node_name"};

constexpr std::array kWorkloads = {
    Long("NAMESPACE", "namespace"),
    Long("POD", "pod"),
    Both("PHASE", "phase"),
    Both("GPUS", "gpus", kWhole),
    Both("SHARE", "gpu_share", kTenths),
    Wide("REQUESTED", "gpus_requested", kWhole),
    Both("UTIL%", "utilization", kWhole),
    Both("USED-GiB", "memory_used_bytes", kGiB),
    Wide("OWNER-KIND", "owner_kind"),
    Wide("OWNER", "owner_name"),
    Wide("CONTAINERS", "containers"),
    Wide("MODELS", "gpu_names"),
    Long("NODES", "node_names"),
};
constexpr std::array<std::string_view, 2> kPodNames = {"namespace", "pod"};

constexpr std::array kUsers = {
    Long("USER", "user"),
    Both("GPUS", "gpus", kWhole),
    Both("SHARE", "gpu_share", kTenths),
    Both("PROCESSES", "processes", kWhole),
    Both("UTIL%", "utilization", kWhole),
    Both("USED-GiB", "memory_used_bytes", kGiB),
    Wide("MODELS", "gpu_names"),
    Wide("PODS", "pods"),
    Long("NODES", "node_names"),
};
constexpr std::array<std::string_view, 1> kUserNames = {"user"};

constexpr std::array kTasks = {
    Long("NAMESPACE", "namespace"),
    Both("KIND", "kind"),
    Long("NAME", "name"),
    Both("PHASE", "phase"),
    Both("GPUS", "gpus_requested", kWhole),
    Both("HELD", "gpus_held", kWhole),
    Wide("CORES", "cores_requested", kTenths),
    Wide("MEM-GiB", "memory_requested_bytes", kGiB),
    Both("AGE", "submitted", kAge),
    Wide("STARTED", "started", kAge),
    Wide("COMPLETED", "completed", kAge),
    Wide("EXIT", "exit_code", kWhole),
    Wide("ERROR", "error"),
    Wide("RESTARTS", "restarts", kWhole),
    Wide("REASON", "reason"),
    Wide("OWNER-KIND", "owner_kind"),
    Wide("OWNER", "owner_name"),
    Wide("JOB", "job"),
    Long("NODES", "node_names"),
};
constexpr std::array<std::string_view, 3> kTaskNames = {"kind", "namespace", "name"};

constexpr std::array kIdle = {
    Long("NODE", "node_name"),
    Both("GPU", "gpu_id"),
    Wide("MIG", "mig_uuid"),
    Long("NAMESPACE", "namespace"),
    Long("POD", "pod"),
    Both("IDLE", "idle_seconds", kDuration),
    Both("IDLE%", "idle_percent", kWhole),
    Both("GPU-HOURS", "gpu_hours", kTenths),
    Wide("COST", "idle_cost", kTenths),
    Wide("BUSY", "busy_seconds", kDuration),
    Both("SINCE", "idle_since", kAge),
    Wide("MODEL", "gpu_name"),
    Wide("UUID", "uuid"),
    Long("USERS", "users"),
};
constexpr std::array<std::string_view, 5> kIdleNames = {"node_name", "gpu_id", "mig_uuid",
                                                        "namespace", "pod"};

constexpr std::array kEvents = {
    Both("AGE", "time", kAge),
    Wide("TIME", "time"),
    Wide("LASTED", "duration_seconds", kDuration),
    Both("SEVERITY", "severity"),
    Both("TYPE", "type"),
    Long("NODE", "node_name"),
    Both("GPU", "gpu_id"),
    Wide("UUID", "uuid"),
    Wide("NAMESPACE", "namespace"),
    Wide("POD", "pod"),
    Wide("USERS", "users"),
    Long("TEXT", "text"),
};
constexpr std::array<std::string_view, 5> kEventNames = {"type", "node_name", "gpu_id", "mig_uuid",
                                                         "time"};

constexpr std::array kAlerts = {
    Long("ALERT", "alertname"), Both("STATE", "state"),     Both("SEVERITY", "severity"),
    Both("AGE", "since", kAge), Long("NODE", "node_name"),  Both("GPU", "gpu_id"),
    Wide("UUID", "uuid"),       Wide("MODEL", "gpu_name"),  Wide("NAMESPACE", "namespace"),
    Wide("POD", "pod"),         Long("HELD-BY", "held_by"), Wide("LABELS", "labels"),
};
constexpr std::array<std::string_view, 4> kAlertNames = {"alertname", "node_name", "gpu_id",
                                                         "uuid"};

constexpr std::array kResources = {
    Resource{"gpus", "gpu", "/api/v1/gpu/metrics", kGpus, kGpuNames},
    Resource{"processes", "process", "/api/v1/gpu/processes", kProcesses, kProcessNames},
    Resource{"nodes", "node", "/api/v1/gpu/nodes", kNodes, kNodeNames},
    Resource{"workloads", "workload", "/api/v1/gpu/workloads", kWorkloads, kPodNames},
    Resource{"users", "user", "/api/v1/gpu/users", kUsers, kUserNames},
    Resource{"tasks", "task", "/api/v1/gpu/tasks", kTasks, kTaskNames},
    Resource{"idle", "idle", "/api/v1/gpu/idle", kIdle, kIdleNames},
    Resource{"events", "event", "/api/v1/gpu/events", kEvents, kEventNames},
    Resource{"alerts", "alert", "/api/v1/gpu/alerts", kAlerts, kAlertNames},
};

}  // namespace

std::span<const Resource> Resources() {
  return kResources;
}

}  // namespace gpumon::ctl
