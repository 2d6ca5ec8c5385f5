#include "tests/e2e/exporter_kinds.h"

#include <cstdio>
#include <cstdlib>

namespace gpumon::e2e {
namespace {

constexpr double kMiB = 1024.0 * 1024;

std::string UuidOf(const Gpu& gpu) {
  char text[40];
  std::snprintf(text, sizeof text, "%08x-0000-4000-8000-%012x", static_cast<unsigned>(gpu.node),
                static_cast<unsigned>(gpu.index));
  return text;
}

}  // namespace

// What exporters call things and how they count, from their own documentation and texts: no line
// of this comes from the server's schemas.
const std::vector<Kind>& Kinds() {
  constexpr double kRatio = 100;
  constexpr double kMilli = 0.001;
  static const std::vector<Kind> kKinds = {
      {Maker::kNvidia,
       "node",
       "gpu",
       "uuid",
       "",
       "GPU-",
       "",
       "minor_number",
       {{"nvidia_gpu_used_memory_bytes", "memory_used_bytes", 1},
        {"nvidia_gpu_utilization_percent", "utilization", 1},
        {"nvidia_gpu_temperature_celsius", "temperature", 1},
        {"nvidia_gpu_power_watts", "power", 1}}},
      {Maker::kNvidia,
       "Hostname",
       "gpu",
       "UUID",
       "",
       "GPU-",
       "",
       "",
       {{"DCGM_FI_DEV_FB_USED", "memory_used_bytes", kMiB},
        {"DCGM_FI_DEV_GPU_UTIL", "utilization", 1},
        {"DCGM_FI_DEV_GPU_TEMP", "temperature", 1},
        {"DCGM_FI_DEV_POWER_USAGE", "power", 1}}},
      {Maker::kNvidia,
       "hostname",
       "gpu",
       "UUID",
       "",
       "GPU-",
       "",
       "",
       {{"DCGM_FI_DEV_FB_USED_BYTES", "memory_used_bytes", 1},
        {"DCGM_FI_DEV_GPU_UTIL_RATIO", "utilization", kRatio},
        {"DCGM_FI_DEV_GPU_TEMP_CELSIUS", "temperature", 1},
        {"DCGM_FI_DEV_BOARD_POWER_WATTS", "power", 1}}},
      {Maker::kNvidia,
       "node",
       "gpu",
       "uuid",
       "",
       "GPU-",
       "",
       "",
       {{"dcgm_fb_used", "memory_used_bytes", kMiB},
        {"dcgm_gpu_utilization", "utilization", 1},
        {"dcgm_gpu_temp", "temperature", 1},
        {"dcgm_power_usage", "power", 1}}},
      // Only its info names the index.
      {Maker::kNvidia,
       "",
       "",
       "uuid",
       "",
       "",
       "",
       "",
       {{"nvidia_smi_gpu_info", "info", 1, "index"},
        {"nvidia_smi_memory_used_bytes", "memory_used_bytes", 1},
        {"nvidia_smi_utilization_gpu_ratio", "utilization", kRatio},
        {"nvidia_smi_temperature_gpu", "temperature", 1},
        {"nvidia_smi_power_draw_watts", "power", 1}}},
      {Maker::kNvidia,
       "hostname",
       "gpu_id",
       "",
       "",
       "",
       "",
       "",
       {{"gpu_metrics_used_memory", "memory_used_bytes", 1},
        {"gpu_metrics_gpu_utilization", "utilization", 1},
        {"gpu_metrics_temperature", "temperature", 1}}},
      {Maker::kNvidia,
       "",
       "",
       "uuid",
       "",
       "GPU-",
       "gpud_component=\"gpu\"",
       "",
       {{"accelerator_nvidia_utilization_gpu_util_percent", "utilization", 1},
        {"accelerator_nvidia_memory_used_bytes", "memory_used_bytes", 1},
        {"accelerator_nvidia_temperature_current_celsius", "temperature", 1},
        {"accelerator_nvidia_power_current_usage_milli_watts", "power", kMilli}}},
      {Maker::kNvidia,
       "exported_instance",
       "gpu_index",
       "gpu_uuid",
       "",
       "GPU-",
       "gpu=\"Model\"",
       "",
       {{"all_smi_gpu_memory_used_bytes", "memory_used_bytes", 1},
        {"all_smi_gpu_utilization", "utilization", 1},
        {"all_smi_gpu_temperature_celsius", "temperature", 1},
        {"all_smi_gpu_power_consumption_watts", "power", 1}}},
      {Maker::kNvidia,
       "hostname",
       "index",
       "uuid",
       "",
       "GPU-",
       "devicename=\"Model\"",
       "",
       {{"gpu_utilization_Percentage", "utilization", 1},
        {"gpu_memory_used_MiB", "memory_used_bytes", kMiB},
        {"gpu_temperature_C", "temperature", 1},
        {"gpu_power_usage_W", "power", 1}}},
      {Maker::kNvidia,
       "",
       "minor_number",
       "uuid",
       "",
       "GPU-",
       "name=\"Model\"",
       "",
       {{"nvidia_gpu_duty_cycle", "utilization", 1},
        {"nvidia_gpu_memory_used_bytes", "memory_used_bytes", 1},
        {"nvidia_gpu_temperature_celsius", "temperature", 1},
        {"nvidia_gpu_power_usage_milliwatts", "power", kMilli}}},
      {Maker::kNvidia,
       "node",
       "device_index",
       "device_uuid",
       "",
       "GPU-",
       "device_type=\"NVIDIA-Model\"",
       "",
       {{"hami_host_gpu_memory_used_bytes", "memory_used_bytes", 1},
        {"hami_host_gpu_utilization_ratio", "utilization", 1},  // to 100, despite its name
        {"hami_host_gpu_temperature_celsius", "temperature", 1},
        {"hami_host_gpu_power_usage_watts", "power", 1}}},
      {Maker::kNvidia,
       "nodeid",
       "deviceidx",
       "deviceuuid",
       "",
       "GPU-",
       "devicetype=\"NVIDIA-Model\"",
       "",
       {{"HostGPUMemoryUsage", "memory_used_bytes", 1}, {"HostCoreUtilization", "utilization", 1}}},
      {Maker::kAmd,
       "hostname",
       "gpu_id",
       "",
       "",
       "",
       "card_model=\"0x74a1\"",
       "",
       {{"gpu_gfx_activity", "utilization", 1},
        {"gpu_used_vram", "memory_used_bytes", kMiB},
        {"gpu_junction_temperature", "temperature", 1},
        {"gpu_package_power", "power", 1}}},
      {Maker::kIntel,
       "node",
       "dev_file",
       "uuid",
       "card",
       "",
       "dev_name=\"Max\"",
       "",
       {{"xpum_memory_used_bytes", "memory_used_bytes", 1},
        {"xpum_engine_ratio", "utilization", kRatio, "type=\"compute\""},
        {"xpum_temperature_celsius", "temperature", 1, "location=\"gpu\""},
        {"xpum_power_watts", "power", 1}}},
      {Maker::kIntel,
       "node",
       "hw_id",
       "",
       "gpu",
       "",
       "pci_bdf=\"0000:03:00.0\"",
       "",
       {{"hw_gpu_utilization_ratio", "utilization", kRatio, "hw_gpu_task=\"all\""},
        {"hw_memory_usage_bytes", "memory_used_bytes", 1, "hw_memory_location=\"device\"", true},
        {"hw_temperature_celsius", "temperature", 1,
         "hw_sensor_location=\"gpu\",statistic=\"max\""},
        {"hw_power_watts", "power", 1, "hw_sensor_location=\"gpu\""}}},
  };
  return kKinds;
}

std::pair<double, double> RangeOf(std::string_view field) {
  if (field == "utilization") return {0, 100.5};
  if (field == "temperature") return {-100, 200};
  return {0, field == "power" ? 20'000 : 1e12};
}

std::string NodeOf(const Gpu& gpu) {
  return "n" + std::to_string(gpu.node);
}
Gpu GpuOfUuid(std::string uuid) {
  if (uuid.substr(0, 4) == "GPU-") uuid.erase(0, 4);
  if (uuid.size() != 36) return {-1, -1};
  return {static_cast<int>(std::strtol(uuid.substr(0, 8).c_str(), nullptr, 16)),
          static_cast<int>(std::strtol(uuid.substr(24).c_str(), nullptr, 16))};
}
Gpu GpuOfPlace(const std::string& node, const std::string& id) {
  const std::size_t digits = id.find_first_of("0123456789");
  if (node.empty() || digits == std::string::npos) return {-1, -1};
  return {std::atoi(node.c_str() + 1), std::atoi(id.c_str() + digits)};
}

std::string LabelsOf(const Kind& kind, const Family& family, const Gpu& gpu) {
  std::string labels;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) labels += (labels.empty() ? "" : ",") + text;
  };
  const auto label = [&](const char* name, const std::string& value) {
    if (*name != '\0') add(std::string(name) + "=\"" + value + '"');
  };
  label(kind.node, NodeOf(gpu));
  label(kind.id, kind.id_prefix + std::to_string(gpu.index));
  label(kind.uuid, kind.uuid_prefix + UuidOf(gpu));
  add(kind.more);
  const bool info = family.field == std::string_view("info");
  if (info) label(family.more, std::to_string(gpu.index));
  if (!info) add(family.more);
  return labels;
}

}  // namespace gpumon::e2e
