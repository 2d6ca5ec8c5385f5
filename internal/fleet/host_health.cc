#include "internal/fleet/host_health.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "internal/base/text.h"
#include "internal/fleet/node_status.h"

namespace gpumon::fleet {
namespace {

using models::NodeQuantity;

std::string Number(double value) {
  return FormatNumber(std::round(value * 10) / 10);
}

void Degrade(HostHealth& host, std::string_view which, std::string text, Action action) {
  if (host.level != Level::kCritical) host.level = Level::kDegraded;
  host.findings.push_back({Severity::kWarning, NameOf(Component::kHost), std::move(text), 1, action,
                           std::string(which)});
}

std::optional<double> MemoryUsed(const models::Node& node) {
  const auto total = node.Get(NodeQuantity::kMemoryTotal);
  const auto available = node.Get(NodeQuantity::kMemoryAvailable);
  if (total && available && *total > 0) return 100 - 100 * *available / *total;
  return node.Get(NodeQuantity::kMemoryUsedPercent);
}

bool IsKnown(const models::Disk& disk) {
  return disk.size > 0 && !std::isnan(disk.available);
}
// Somebody tells of the machine itself, not of its GPUs alone.
bool IsKnown(const models::Node& node, std::span<const models::Disk> disks) {
  return node.Get(NodeQuantity::kReady) || MemoryUsed(node) ||
         std::any_of(disks.begin(), disks.end(), [](const auto& disk) { return IsKnown(disk); });
}

}  // namespace

HostHealth AssessHost(const models::Node& node, std::span<const models::NodeTarget> targets,
                      std::span<const models::Disk> disks, bool has_rows,
                      const HealthRules& rules) {
  HostHealth host;
  if (const NodeStatus status = StatusOf(node, targets, has_rows); !status.online) {
    host.level = Level::kCritical;
    host.findings.push_back({Severity::kCritical, NameOf(Component::kHost),
                             "offline: " + std::string(status.why), 1, Action::kInspect, "status"});
  } else if (IsKnown(node, disks)) {
    host.level = Level::kHealthy;
  }
  if (const auto used = MemoryUsed(node); used && *used > rules.host_memory_warning) {
    Degrade(host, "memory",
            Number(*used) + " % of its memory used, above " + Number(rules.host_memory_warning),
            Action::kCheckApplication);
  }
  for (const models::Disk& disk : disks) {
    if (!IsKnown(disk)) continue;
    const double used = 100 - 100 * disk.available / disk.size;
    if (used <= rules.host_disk_warning) continue;
    Degrade(host, disk.mountpoint,
            Number(used) + " % of " + std::string(disk.mountpoint) + " used, above " +
                Number(rules.host_disk_warning),
            Action::kNone);
  }
  const auto capacity = node.Get(NodeQuantity::kGpusCapacity);
  const auto allocatable = node.Get(NodeQuantity::kGpusAllocatable);
  if (capacity && allocatable && *allocatable < *capacity) {
    Degrade(host, "gpus",
            "Kubernetes can give pods " + Number(*allocatable) + " of its " + Number(*capacity) +
                " GPUs",
            Action::kInspect);
  }
  return host;
}

}  // namespace gpumon::fleet
