#include <array>

#include "internal/rules/rows.h"

namespace gpumon::rules {
namespace {

constexpr std::array kRows = {
    RecordRow{"gpu_present",
              "group by (node, gpu, uuid, gpu_name, job, instance) (\n@raw:present@\n)",
              "1 for each GPU that a target shows."},
    RecordRow{"gpu_last_seen_seconds",
              "@gpu_present@ * time()\nor\n@gpu_last_seen_seconds@ > time() - 86400",
              "When each GPU of the last day was seen last, in Unix seconds."},
    RecordRow{"exporter_target",
              "group by (job, instance, exporter) (@gpu_present@)\nor\n"
              "(@exporter_target@ and on (job, instance) up)",
              "1 for each target that has shown a GPU since Prometheus knows it."},
    RecordRow{"gpu_utilization_percent", "@raw:utilization@", "Time during which a kernel ran."},
    RecordRow{"gpu_memory_used_bytes", "@raw:memory_used@", "Device memory in use."},
    RecordRow{"gpu_memory_total_bytes", "@raw:memory_total@", "Device memory."},
    RecordRow{"gpu_temperature_celsius", "@raw:temperature@", "Temperature of the core."},
    RecordRow{"gpu_power_watts", "@raw:power@", "Power drawn by the board."},
    RecordRow{"gpu_throttle_reasons", "@raw:throttle_reasons@",
              "NVML's bits of reasons why clocks are low."},
    RecordRow{"gpu_xid", "count_values by (node, gpu, uuid, gpu_name) (\"xid\",\n@raw:xid_last@\n)",
              "1, with the last XID in the label `xid`; none where there was no error."},
    RecordRow{"gpu_ecc_uncorrected_lifetime", "@raw:ecc_uncorrected_aggregate@",
              "Uncorrected ECC errors over the life of the board."},
    RecordRow{"gpu_ecc_uncorrected", "@raw:ecc_uncorrected_volatile@",
              "Uncorrected ECC errors since the driver was loaded; of exporters that do not count "
              "them those of the last hour."},
    RecordRow{"gpu_ecc_uncorrected",
              "@gpu_ecc_uncorrected_lifetime@ - min_over_time(@gpu_ecc_uncorrected_lifetime@[1h])",
              ""},
    RecordRow{"gpu_row_remap_pending", "@raw:row_remap_pending@",
              "Rows of memory that are remapped by the next reset."},
    RecordRow{"gpu_row_remap_failure", "@raw:row_remap_failure@",
              "1 where a row of memory could not be remapped."},
    RecordRow{"gpu_holder", "@raw:holders@", "1 for each pod that holds a GPU or MIG instance."},
    RecordRow{"gpu_held_utilization_percent",
              "group by (@key@, namespace, pod) (@gpu_holder@)\n* on (@key@) group_left ()\n"
              "max by (@key@) (@gpu_utilization_percent@)",
              "Utilization of each GPU or MIG instance, once for each pod that holds it."},
    RecordRow{"node_gpus:count", "count by (node) (group by (node, gpu, uuid) (@gpu_present@))",
              "GPUs of a node."},
    RecordRow{"node_gpu_utilization_percent:avg",
              "avg by (node) @whole:avg,gpu_utilization_percent@",
              "Mean utilization of a node's GPUs."},
    RecordRow{"node_gpu_memory_used_bytes:sum", "sum by (node) @whole:sum,gpu_memory_used_bytes@",
              "Device memory in use on a node."},
    RecordRow{"node_gpu_memory_total_bytes:sum", "sum by (node) @whole:sum,gpu_memory_total_bytes@",
              "Device memory of a node."},
    RecordRow{"node_gpu_power_watts:sum",
              "sum by (node) (max by (node, gpu, uuid) (@gpu_power_watts@))",
              "Power that a node's GPUs draw."},
    RecordRow{"node_gpu_temperature_celsius:max", "max by (node) (@gpu_temperature_celsius@)",
              "The hottest GPU of a node."},
    RecordRow{"namespace_gpus:count",
              "count by (namespace) (group by (namespace, @key@) (@gpu_holder@))",
              "GPUs and MIG instances that pods of a namespace hold."},
    RecordRow{"namespace_gpu_utilization_percent:avg",
              "avg by (namespace) (max by (namespace, @key@) (@gpu_held_utilization_percent@))",
              "Mean utilization of what a namespace holds."},
    RecordRow{
        "namespace_gpus_idle:count",
        "sum by (namespace) (\nmax by (namespace, @key@) (@gpu_held_utilization_percent@) < bool "
        "@rule:utilization_low@\n)",
        "GPUs and MIG instances that a namespace holds and does not use now."},
};

}  // namespace

std::span<const RecordRow> RecordRows() {
  return kRows;
}

}  // namespace gpumon::rules
