#include "internal/checks/plan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "internal/checks/system.h"
#include "internal/checks/web.h"

namespace gpumon::checks {
namespace {

using Tasks = std::vector<Task>;

WebTarget WebOf(const Target& target) {
  return {target.name, target.url};
}

// Null for what this build cannot ask.
Probe ProbeOf(const Target& target, const Setup& setup) {
  switch (target.kind) {
    case Kind::kEtcd:
      return EtcdProbe(setup.client, WebOf(target));
    case Kind::kManager:
      return ManagerProbe(setup.client, WebOf(target));
    case Kind::kAgent:
      return AgentProbe(setup.client, WebOf(target));
    case Kind::kPrometheus:
      return PrometheusProbe(setup.client, WebOf(target));
    case Kind::kGrafana:
      return GrafanaProbe(setup.client, WebOf(target));
    case Kind::kPostgres:
    case Kind::kRedis:
      break;
  }
  return nullptr;
}

bool IsInfrastructure(Kind kind) {
  return kind == Kind::kPostgres || kind == Kind::kRedis || kind == Kind::kEtcd;
}

void AddTargets(bool infrastructure, const Setup& setup, Tasks& tasks) {
  for (const Target& target : setup.targets) {
    if (IsInfrastructure(target.kind) != infrastructure) continue;
    if (Probe probe = ProbeOf(target, setup)) {
      tasks.push_back(TaskOf({target.name, std::move(probe)}));
    }
  }
}

void AddDocker(const Setup& setup, Tasks& tasks) {
  for (Check& check : ContainerChecks(setup.client, setup.docker, setup.containers)) {
    tasks.push_back(TaskOf(std::move(check)));
  }
}

void AddInfrastructure(const Setup& setup, Tasks& tasks) {
  AddTargets(true, setup, tasks);
}

void AddServices(const Setup& setup, Tasks& tasks) {
  AddTargets(false, setup, tasks);
}

void AddGpu(const Setup&, Tasks&) {}

void AddSystem(const Setup& setup, Tasks& tasks) {
  std::vector<Port> ports;
  for (const Target& target : setup.targets) ports.push_back(PortOf(target));
  tasks.push_back(TaskOf({"Docker Daemon", DockerDaemonProbe(setup.client, setup.docker)}));
  tasks.push_back(TaskOf({"System Resources", ResourcesProbe()}));
  if (!ports.empty()) {
    tasks.push_back(TaskOf({"Network Connectivity", NetworkProbe(ports)}));
  }
  if (!setup.config_files.empty()) {
    tasks.push_back(
        TaskOf({"Configuration Files", ConfigFilesProbe(setup.config_dir, setup.config_files)}));
  }
  std::erase_if(ports, [](const Port& port) { return !IsOnThisMachine(port); });
  if (!ports.empty()) tasks.push_back(TaskOf({"Port Usage", PortUsageProbe(ports)}));
}

struct GroupRow {
  Group group;
  void (*add)(const Setup& setup, Tasks& tasks);
};
constexpr std::array kGroups = {
    GroupRow{Group::kDocker, AddDocker},     GroupRow{Group::kInfrastructure, AddInfrastructure},
    GroupRow{Group::kServices, AddServices}, GroupRow{Group::kGpu, AddGpu},
    GroupRow{Group::kSystem, AddSystem},
};

}  // namespace

std::vector<Task> Plan(std::span<const Group> groups, const Setup& setup) {
  Tasks tasks;
  for (const GroupRow& row : kGroups) {
    if (std::find(groups.begin(), groups.end(), row.group) == groups.end()) continue;
    row.add(setup, tasks);
  }
  return tasks;
}

}  // namespace gpumon::checks
