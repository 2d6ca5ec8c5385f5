#include "internal/checks/plan.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "internal/checks/system.h"
#include "internal/checks/web.h"

namespace gpumon::checks {
namespace {

using Tasks = std::vector<Task>;

WebTarget WebOf(const Target& target, const Scope& scope) {
  return {.name = target.name, .url = target.url, .slow_after = scope.slow_after};
}

// The one to look at when a server on this machine does not answer; "": none is known.
std::string ContainerOf(const Target& target, const Scope& scope,
                        std::span<const std::string_view> words) {
  if (!IsOnThisMachine(PortOf(target))) return {};
  for (const std::string& container : scope.containers) {
    if (std::any_of(words.begin(), words.end(), [&](std::string_view word) {
          return container.find(word) != std::string::npos;
        })) {
      return container;
    }
  }
  return {};
}

// The two servers are asked alike.
template <class ServerTarget>
ServerTarget ServerOf(const Target& target, const Scope& scope, ServerTarget server,
                      std::span<const std::string_view> words) {
  server.host = target.host;
  server.port = target.port;
  server.container = ContainerOf(target, scope, words);
  server.slow_after = scope.slow_after;
  return server;
}

constexpr std::array<std::string_view, 2> kPostgresWords = {"postgres", "-db"};
constexpr std::array<std::string_view, 1> kRedisWords = {"redis"};

Probe ProbeOf(const Target& target, const Scope& scope) {
  switch (target.kind) {
    case Kind::kEtcd:
      return EtcdProbe(scope.client, WebOf(target, scope));
    case Kind::kManager:
      return ManagerProbe(scope.client, WebOf(target, scope));
    case Kind::kAgent:
      return AgentProbe(scope.client, WebOf(target, scope));
    case Kind::kPrometheus:
      return PrometheusProbe(scope.client, WebOf(target, scope));
    case Kind::kGrafana:
      return GrafanaProbe(scope.client, WebOf(target, scope));
    case Kind::kPostgres:
      return PostgresProbe(ServerOf(target, scope, scope.postgres, kPostgresWords));
    case Kind::kRedis:
      break;
  }
  return RedisProbe(ServerOf(target, scope, scope.redis, kRedisWords));
}

bool IsInfrastructure(Kind kind) {
  return kind == Kind::kPostgres || kind == Kind::kRedis || kind == Kind::kEtcd;
}

void AddTargets(bool infrastructure, const Scope& scope, Tasks& tasks) {
  for (const Target& target : scope.targets) {
    if (IsInfrastructure(target.kind) != infrastructure) continue;
    tasks.push_back(TaskOf({target.name, ProbeOf(target, scope)}));
  }
}

void AddDocker(const Scope& scope, Tasks& tasks) {
  for (Check& check : ContainerChecks(scope.client, scope.docker, scope.containers)) {
    tasks.push_back(TaskOf(std::move(check)));
  }
}

void AddInfrastructure(const Scope& scope, Tasks& tasks) {
  AddTargets(true, scope, tasks);
}

void AddServices(const Scope& scope, Tasks& tasks) {
  AddTargets(false, scope, tasks);
}

void AddGpu(const Scope& scope, Tasks& tasks) {
  // Who has no GPU has an answer at once: what does not end is a driver.
  tasks.push_back({std::string(kGpuHardware), MakeGpuProbe(scope.gpu, scope.gpu_details),
                   Status::kUnhealthy, std::string(kDriverHangsHint)});
}

void AddSystem(const Scope& scope, Tasks& tasks) {
  std::vector<Port> ports;
  for (const Target& target : scope.targets) ports.push_back(PortOf(target));
  tasks.push_back(TaskOf({"Docker Daemon", DockerDaemonProbe(scope.client, scope.docker)}));
  tasks.push_back(TaskOf({"System Resources", ResourcesProbe()}));
  if (!ports.empty()) {
    tasks.push_back(TaskOf({"Network Connectivity", NetworkProbe(ports)}));
  }
  if (!scope.config_files.empty()) {
    tasks.push_back(
        TaskOf({"Configuration Files", ConfigFilesProbe(scope.config_dir, scope.config_files)}));
  }
  std::erase_if(ports, [](const Port& port) { return !IsOnThisMachine(port); });
  if (!ports.empty()) tasks.push_back(TaskOf({"Port Usage", PortUsageProbe(ports)}));
}

struct GroupRow {
  Group group;
  void (*add)(const Scope& scope, Tasks& tasks);
};
constexpr std::array kGroups = {
    GroupRow{Group::kDocker, AddDocker},     GroupRow{Group::kInfrastructure, AddInfrastructure},
    GroupRow{Group::kServices, AddServices}, GroupRow{Group::kGpu, AddGpu},
    GroupRow{Group::kSystem, AddSystem},
};

}  // namespace

std::vector<Task> Plan(std::span<const Group> groups, const Scope& scope) {
  Tasks tasks;
  for (const GroupRow& row : kGroups) {
    if (std::find(groups.begin(), groups.end(), row.group) == groups.end()) continue;
    row.add(scope, tasks);
  }
  return tasks;
}

}  // namespace gpumon::checks
