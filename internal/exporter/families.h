// The metric families of the synthetic fleet. Each function appends its families in a fixed order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "internal/exporter/exposition.h"
#include "internal/exporter/fleet_state.h"

namespace gpumon::exporter {

// What every consumer needs: the nine nvidia_gpu_* metrics. Series of a GPU carry node, gpu,
// gpu_name, uuid and, while a pod holds it, exported_namespace, exported_pod, exported_container;
// series of a process carry node, gpu, pid, process_name, user, command.
void WriteCoreFamilies(const FleetState& state, Exposition& out);
// What else the driver tells: nvidia_gpu_* with node and gpu, and nvidia_gpu_info, which adds
// gpu_name, uuid, driver_version, cuda_version and pci_bus_id. The pod is not among the labels: a
// counter would break off whenever a job ends. The uuid is not, because it would be a third of a
// large page and most of the work of compressing it.
void WriteDeviceFamilies(const FleetState& state, Exposition& out);
// What node-exporter tells about the nodes, with its names and a `node` label.
void WriteNodeFamilies(const FleetState& state, Exposition& out);
// What kube-state-metrics tells about nodes, pods and jobs, with its names and labels.
void WriteKubeFamilies(const FleetState& state, Exposition& out);

// One value of those pages, for who tells of the same fleet in another form. Nothing when there is
// no such family, or this GPU lacks it; of a family with labels beside the node's the first series.
std::optional<double> GpuReading(const FleetState& state, const GpuState& gpu,
                                 std::string_view family);
std::optional<double> NodeReading(const FleetState& state, const NodeState& node,
                                  std::string_view family);
std::string UuidText(const GpuState& gpu);  // "GPU-11aa...", as the label `uuid` has it
std::string PciBusId(const GpuState& gpu);  // "00000000:10:00.0"
double CpuPercent(const NodeState& node);   // of all cores, over the last minute
inline constexpr std::string_view kDriverVersion = "570.86.15";
inline constexpr std::string_view kCudaVersion = "12.8";

// Cores of each node.
int CoresPerNode(const FleetState& state);
inline constexpr double kNodeMemoryBytes = 1024.0 * 1024 * 1024 * 1024;

}  // namespace gpumon::exporter
