// The machine itself: memory, disks, files, ports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/checks/check.h"

namespace gpumon::checks {

// A use above this many percent is degraded.
inline constexpr double kFull = 90;

struct DiskUse {
  std::string mount;
  double percent = 0;
};
// MemTotal without MemAvailable, in percent; nothing when the text of /proc/meminfo lacks one.
std::optional<double> MemoryUse(std::string_view meminfo);
// The mount points of disks in the text of /proc/self/mounts, each disk once. Files that are
// mounted one by one, and disks that are read-only by nature, are left out.
std::vector<std::string> DiskMounts(std::string_view mounts);
// Unknown when neither is known.
Outcome JudgeResources(std::optional<double> memory, const std::vector<DiskUse>& disks);
// Reads this machine's.
Probe ResourcesProbe();

// A port of a service.
struct Port {
  std::string name;  // "Manager API"
  std::string host;  // name or address
  std::uint16_t port = 0;
};

// By a name or address of loopback, as written: no name is looked up.
bool IsOnThisMachine(const Port& port);

// Connects to all ports at once: healthy when all take it, degraded when more than half do.
Probe NetworkProbe(std::vector<Port> ports);

// The files under `folder`: healthy when all can be read, degraded when one is missing.
Probe ConfigFilesProbe(std::string folder, std::vector<std::string> files);

// Which of these ports of this machine are bound, and by whom: healthy when two thirds are,
// degraded when one third is. `proc` is where the kernel tells it.
Probe PortUsageProbe(std::vector<Port> ports, std::string proc = "/proc");

}  // namespace gpumon::checks
