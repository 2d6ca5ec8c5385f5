#include "internal/schema/schema.h"

namespace gpumon::schema {

const Exporter& NvidiaGpu() {
  using models::ProcessQuantity;
  using models::Quantity;
  using models::Text;
  // An older, unrelated exporter also emits nvidia_gpu_temperature_celsius, always with a
  // minor_number label.
  static const Exporter kExporter{
      .name = "nvidia_gpu",
      // A target label `node` pushes the exporter's own into exported_node.
      .node = {"exported_node", "node", "hostname", "Hostname", "exported_hostname",
               "kubernetes_node", "nodename"},
      .gpu = {"gpu", "gpu_id"},
      .pid = {"pid"},
      .texts = {{Text::kGpuName, {"gpu_name"}},
                {Text::kUuid, {"uuid", "gpu_uuid"}},
                // `pod` without exported_ may be the exporter's own pod.
                {Text::kNamespace, {"exported_namespace"}},
                {Text::kPod, {"exported_pod"}},
                {Text::kContainer, {"exported_container"}},
                {Text::kProcessName, {"process_name"}},
                {Text::kUser, {"user", "uid"}},
                {Text::kCommand, {"command"}}},
      .gpu_metrics = {{"nvidia_gpu_utilization_percent", Quantity::kUtilization},
                      {"nvidia_gpu_used_memory_bytes", Quantity::kMemoryUsed},
                      {"nvidia_gpu_total_memory_bytes", Quantity::kMemoryTotal},
                      {"nvidia_gpu_free_memory_bytes", Quantity::kMemoryFree},
                      {"nvidia_gpu_memory_utilization_percent", Quantity::kMemoryUtilization},
                      {R"(nvidia_gpu_temperature_celsius{minor_number=""})",
                       Quantity::kTemperature}},
      .process_metrics = {{"nvidia_gpu_process_gpu_memory_bytes", ProcessQuantity::kGpuMemory},
                          {"nvidia_gpu_process_cpu_percent", ProcessQuantity::kCpu},
                          {"nvidia_gpu_process_memory_percent", ProcessQuantity::kMemory}}};
  return kExporter;
}

}  // namespace gpumon::schema
