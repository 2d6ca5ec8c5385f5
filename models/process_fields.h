// The registry of fields of processes; see models/fields.h.
#pragma once

#include <array>

#include "models/field.h"
#include "models/field_slots.h"

namespace gpumon::models {

// In the order in which they are written.
inline constexpr std::array kProcessFields = {
    FieldSpec{"node_name", "", From::kText, internal::Slot(Text::kNode), 1, true,
              "Kubernetes node, or the host name that the exporter reports."},
    FieldSpec{"gpu_index", "", From::kGpuIndex, 0, 1, true,
              "Index of the GPU on its node; null when the exporter's id is not a number."},
    FieldSpec{"pid", "", From::kPid, 0, 1, true,
              "Process id, in the pid namespace that the exporter sees."},
    FieldSpec{"process_name", "", From::kText, internal::Slot(Text::kProcessName), 1, true,
              "Name of the executable."},
    FieldSpec{"user", "", From::kText, internal::Slot(Text::kUser), 1, true,
              "Owner of the process."},
    FieldSpec{
        "command", "", From::kText, internal::Slot(Text::kCommand), 1, true,
        "Command line; unless PROCESS_COMMANDS says otherwise, secrets are masked and what comes "
        "after 4096 characters is cut."},
    FieldSpec{"gpu_memory", "MiB", From::kReading, internal::Slot(ProcessQuantity::kGpuMemory),
              internal::kPerMiB, true, "Device memory that the process holds."},
    FieldSpec{"cpu", "%", From::kReading, internal::Slot(ProcessQuantity::kCpu), 1, true,
              "CPU use, 100 being one core."},
    FieldSpec{"memory", "%", From::kReading, internal::Slot(ProcessQuantity::kMemory), 1, true,
              "Share of the host's memory."},
    FieldSpec{"timestamp", "", From::kTimestamp, 0, 1, true,
              "When the newest sample of this row was taken."},
    FieldSpec{"gpu_id", "", From::kText, internal::Slot(Text::kGpuId), 1, true,
              "The exporter's id of the GPU, as text."},
    FieldSpec{"gpu_name", "", From::kText, internal::Slot(Text::kGpuName), 1, false,
              "Product name of the GPU."},
    FieldSpec{"uuid", "", From::kText, internal::Slot(Text::kUuid), 1, false, "UUID of the GPU."},
    FieldSpec{"gpu_memory_bytes", "bytes", From::kReading,
              internal::Slot(ProcessQuantity::kGpuMemory), 1, false,
              "Device memory that the process holds, exact."},
    FieldSpec{"gpu_utilization", "%", From::kReading,
              internal::Slot(ProcessQuantity::kGpuUtilization), 1, false,
              "Share of the GPU's multiprocessors or compute units that the process uses."},
    FieldSpec{"namespace", "", From::kText, internal::Slot(Text::kNamespace), 1, false,
              "Namespace of the process's pod."},
    FieldSpec{"pod", "", From::kText, internal::Slot(Text::kPod), 1, false, "Pod of the process."},
    FieldSpec{"container", "", From::kText, internal::Slot(Text::kContainer), 1, false,
              "Container of the process."},
    FieldSpec{"source", "", From::kText, internal::Slot(Text::kSource), 1, true,
              "Exporter schema that the row came from."},
    FieldSpec{"sample_age_seconds", "seconds", From::kAge, 0, 1, true,
              "Age of the row's oldest sample at meta.as_of."},
    FieldSpec{"null_reasons", "", From::kReasons, 0, 1, false,
              "Why a field of this row is null, where meta.null_reasons does not say it."},
};

}  // namespace gpumon::models
