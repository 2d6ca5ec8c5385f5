#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/exporter/curves.h"
#include "internal/exporter/families.h"
#include "internal/exporter/fleet.h"

namespace gpumon::exporter {
namespace {

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;

// A node at an instant; the value functions below read it.
struct Host {
  const NodeState& node;
  double seconds;  // since the fleet's start
  double cores;
};

struct NodeFamily {
  Family family;
  std::string_view labels;  // a label block beside `node`, as node-exporter has it
  double (*value)(const Host&);
};

// Shares of the CPU time: at rest, and what a fully loaded set of GPUs adds. They sum to less
// than 1 for the busiest core, so idle time never runs backwards.
struct CpuMode {
  std::string_view name;
  double rest;
  double busy;
};
constexpr CpuMode kCpuModes[] = {
    {"iowait", 0.01, 0.02}, {"system", 0.02, 0.05}, {"user", 0.05, 0.5}};

double BusyShare(double load) {
  double share = 0;
  for (const CpuMode& mode : kCpuModes) share += mode.rest + mode.busy * load;
  return share;
}

double LoadAverage(const Host& h, double load) {
  return std::round(100 * h.cores * BusyShare(load)) / 100;
}

double Moved(const Host& h, double rest_rate, double busy_rate) {
  return std::floor(rest_rate * h.seconds + busy_rate * h.node.load_seconds);
}

// Fills and is cleaned up once a week, at each node's own hour.
double DiskFree(const Host& h, double size, double low, double high) {
  constexpr double kWeek = 7 * 86400.0;
  const double x = h.seconds + Between(h.node.spec->hash, 61, 0, kWeek);
  const double used = low + (high - low) * (x - std::floor(x / kWeek) * kWeek) / kWeek;
  return std::floor(size * (1 - used) / 4096) * 4096;
}

// The first one fills first.
double NumaFree(const Host& h, double share_of_load) {
  return std::floor(kNodeMemoryBytes / 2 * (0.9 - share_of_load * h.node.load_1m) / 1024) * 1024;
}

constexpr double kRootBytes = 1.9e12;
constexpr double kScratchBytes = 7.6e12;
constexpr std::string_view kRoot =
    R"(device="/dev/nvme0n1p2",device_error="",fstype="ext4",mountpoint="/")";
constexpr std::string_view kScratch =
    R"(device="/dev/nvme1n1",device_error="",fstype="xfs",mountpoint="/scratch")";
constexpr std::string_view kSensor = R"(chip="platform_coretemp_0",sensor="temp1")";
constexpr std::string_view kNuma0 = R"(exported_node="0")";
constexpr std::string_view kNuma1 = R"(exported_node="1")";
constexpr std::string_view kNic = R"(device="eno1")";
constexpr std::string_view kDisk = R"(device="nvme0n1")";

// Rows of one family stand together.
constexpr NodeFamily kFamilies[] = {
    {{"node_load1", kGauge, "1m load average."},
     "",
     [](const Host& h) { return LoadAverage(h, h.node.load_1m); }},
    {{"node_load5", kGauge, "5m load average."},
     "",
     [](const Host& h) { return LoadAverage(h, h.node.load_5m); }},
    {{"node_load15", kGauge, "15m load average."},
     "",
     [](const Host& h) { return LoadAverage(h, h.node.load_15m); }},
    {{"node_memory_MemTotal_bytes", kGauge, "Memory of the node."},
     "",
     [](const Host&) { return kNodeMemoryBytes; }},
    {{"node_memory_MemAvailable_bytes", kGauge, "Memory that programs can still get."},
     "",
     [](const Host& h) {
       return std::floor(kNodeMemoryBytes * (0.93 - 0.6 * h.node.load_1m) / 1024) * 1024;
     }},
    // As a scrape stores them beside a node's name: both call their label `node`.
    {{"node_memory_numa_MemTotal", kGauge, "Memory of a NUMA node."},
     kNuma0,
     [](const Host&) { return kNodeMemoryBytes / 2; }},
    {{"node_memory_numa_MemTotal", kGauge, ""},
     kNuma1,
     [](const Host&) { return kNodeMemoryBytes / 2; }},
    {{"node_memory_numa_MemFree", kGauge, "Memory of a NUMA node that nothing uses."},
     kNuma0,
     [](const Host& h) { return NumaFree(h, 0.7); }},
    {{"node_memory_numa_MemFree", kGauge, ""},
     kNuma1,
     [](const Host& h) { return NumaFree(h, 0.5); }},
    {{"node_filesystem_size_bytes", kGauge, "Size of a file system."},
     kRoot,
     [](const Host&) { return kRootBytes; }},
    {{"node_filesystem_size_bytes", kGauge, ""},
     kScratch,
     [](const Host&) { return kScratchBytes; }},
    {{"node_filesystem_avail_bytes", kGauge, "Space that users can still fill."},
     kRoot,
     [](const Host& h) { return DiskFree(h, kRootBytes, 0.2, 0.45); }},
    {{"node_filesystem_avail_bytes", kGauge, ""},
     kScratch,
     [](const Host& h) { return DiskFree(h, kScratchBytes, 0.35, 0.9); }},
    {{"node_network_receive_bytes_total", kCounter, "Bytes received by a network device."},
     kNic,
     [](const Host& h) { return Moved(h, 2e5, 9e8); }},
    {{"node_network_transmit_bytes_total", kCounter, "Bytes sent by a network device."},
     kNic,
     [](const Host& h) { return Moved(h, 1e5, 6e8); }},
    {{"node_disk_read_bytes_total", kCounter, "Bytes read from a disk."},
     kDisk,
     [](const Host& h) { return Moved(h, 3e4, 1.2e9); }},
    {{"node_disk_written_bytes_total", kCounter, "Bytes written to a disk."},
     kDisk,
     [](const Host& h) { return Moved(h, 9e4, 1.5e8); }},
    {{"node_hwmon_temp_celsius", kGauge, "Temperature of a sensor of the node."},
     kSensor,
     [](const Host& h) { return std::round(37 + 28 * h.node.load_1m); }},
    {{"node_boot_time_seconds", kGauge, "When the node was started, in Unix seconds."},
     "",
     [](const Host&) { return static_cast<double>(kFleetStart); }},
};

void WriteCpuSeconds(const FleetState& state, std::span<const std::string> blocks,
                     Exposition& out) {
  out.Begin({"node_cpu_seconds_total", kCounter, "Time a CPU spent in a mode."});
  const int cores = CoresPerNode(state);
  std::string more;
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    const NodeState& node = state.nodes[n];
    for (int cpu = 0; cpu < cores; ++cpu) {
      const double share =
          Between(Mix(node.spec->hash, static_cast<std::uint64_t>(cpu)), 62, 0.6, 1.4);
      double idle = state.seconds;
      const auto sample = [&](std::string_view mode, double seconds) {
        more.clear();
        AppendLabel(more, "cpu", std::int64_t{cpu});
        AppendLabel(more, "mode", mode);
        out.Sample(blocks[n], more, std::floor(seconds * 100) / 100);
      };
      for (const CpuMode& mode : kCpuModes) {
        const double spent = share * (mode.rest * state.seconds + mode.busy * node.load_seconds);
        idle -= spent;
        sample(mode.name, spent);
      }
      sample("idle", idle);
    }
  }
}

}  // namespace

std::optional<double> NodeReading(const FleetState& state, const NodeState& node,
                                  std::string_view family) {
  for (const NodeFamily& row : kFamilies) {
    if (row.family.name != family) continue;
    return row.value({node, state.seconds, static_cast<double>(CoresPerNode(state))});
  }
  return std::nullopt;
}

double CpuPercent(const NodeState& node) {
  return std::round(1000 * BusyShare(node.load_1m)) / 10;
}

int CoresPerNode(const FleetState& state) {
  const std::size_t gpus = state.gpus.size() / std::max<std::size_t>(state.nodes.size(), 1);
  return std::max(16, 2 * static_cast<int>(gpus));
}

void WriteNodeFamilies(const FleetState& state, Exposition& out) {
  std::vector<std::string> blocks(state.nodes.size());
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    AppendLabel(blocks[n], "node", state.nodes[n].spec->name);
  }
  out.Begin({"node_uname_info", kGauge, "The node's kernel; always 1."});
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    std::string more =
        R"x(domainname="(none)",machine="x86_64",release="6.8.0-71-generic",sysname="Linux")x"
        R"(,version="#71-Ubuntu SMP")";
    AppendLabel(more, "nodename", state.nodes[n].spec->name);
    out.Sample(blocks[n], more, 1);
  }
  WriteCpuSeconds(state, blocks, out);
  const double cores = CoresPerNode(state);
  std::string_view begun;
  for (const NodeFamily& row : kFamilies) {
    if (row.family.name != begun) out.Begin(row.family);
    begun = row.family.name;
    for (std::size_t n = 0; n < blocks.size(); ++n) {
      out.Sample(blocks[n], row.labels, row.value({state.nodes[n], state.seconds, cores}));
    }
  }
}

}  // namespace gpumon::exporter
