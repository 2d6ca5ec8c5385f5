#include <array>

#include "internal/rules/rows.h"

namespace gpumon::rules {
namespace {

constexpr std::array kRows = {
    AlertRow{
        "GpuHot", "critical", "5m", "@gpu_temperature_celsius@ > @rule:temperature_critical@",
        "@gpu@ is too hot", "@which@: {{ printf \"%.0f\" $value }} °C for 5 minutes.",
        "The core has been above `temperature_critical` for five minutes. It is about to lower "
        "its clocks, or does so already.",
        "Compare with the other GPUs of the node: if all are hot, look at its fans, its air "
        "inlet and the room; if one is, drain the node and have the board and its heat sink "
        "looked at. Meanwhile `nvidia-smi -pl` lowers its power limit."},
    AlertRow{"GpuThrottledThermal", "warning", "5m", "@bit:32@ + @bit:64@ > 0",
             "@gpu@ is throttled: too hot",
             "@which@: its driver or its hardware has lowered its clocks for 5 minutes "
             "because of heat.",
             "Bits 0x20 or 0x40 of the throttle reasons. Work on it is slower than it should be.",
             "As for GpuHot. Memory may be what is hot: compare `memory_temperature`."},
    AlertRow{"GpuThrottledPower", "warning", "5m", "@bit:128@ > 0",
             "@gpu@ is throttled: power brake",
             "@which@: its machine has told it to draw less power for 5 minutes.",
             "Bit 0x80 of the throttle reasons: the power brake, which a power supply or the "
             "machine's controller asserts. The software power cap (0x4) is no part of it: under "
             "full load it is normal.",
             "Look at the machine's power supplies and its BMC's log: one that failed, or a power "
             "limit of the rack."},
    AlertRow{"GpuThrottledHardware", "warning", "5m", "@bit:8@ > @bit:32@ + @bit:64@ + @bit:128@",
             "@gpu@ is throttled by its hardware",
             "@which@: a hardware slowdown for 5 minutes, with neither heat nor power brake "
             "as its reason.",
             "Bit 0x8 of the throttle reasons without 0x20, 0x40 or 0x80.",
             "Look at `nvidia-smi -q -d PERFORMANCE` on the node, then at its power cables and the "
             "BMC's log."},
    AlertRow{
        "GpuXidReset", "critical", "0s",
        "@xid:reset@\nor\n(last_over_time(@xid:reset@[15m]) unless on (node, gpu, uuid) "
        "@gpu_present@)",
        "@gpu@ needs a reset: XID {{ $labels.xid }}",
        "@which@: its last XID is {{ $labels.xid }}, of the class reset.",
        "The last XID asks for a reset, a reboot or an inspection. "
        "[HEALTH.md](HEALTH.md#xids) lists the codes. "
        "The code stays, and with it the alert, until the driver or the exporter is started "
        "again; of a GPU that is no longer shown for a quarter of an hour, until GpuLost has "
        "taken over.",
        "Cordon the node and let its pods end. Read `dmesg | grep -i xid`. Reset the GPU "
        "(`nvidia-smi -r -i GPU`) or reboot the machine; if the code comes back, have the board "
        "replaced."},
    AlertRow{"GpuXidContained", "warning", "0s", "@xid:contained@",
             "@gpu@ had a contained memory error: XID {{ $labels.xid }}",
             "@which@: an ECC error ended a program; others were not touched.",
             "An uncorrectable error of memory was kept to the program that met it. "
             "[HEALTH.md](HEALTH.md#xids) lists the codes.",
             "Start the program again. Reset the GPU when nobody uses it, so that the row is "
             "remapped."},
    AlertRow{
        "GpuXidApplication", "info", "0s", "@new_xid:application@",
        "A program on "
        "@gpu@ failed: XID {{ $labels.xid }}",
        "@which@: XID {{ $labels.xid }} since less than 15 minutes ago, mostly the "
        "program's fault.",
        "A program did what the GPU refuses. The GPU goes on. A code that comes again in a row "
        "cannot be seen where the exporter tells the last one only.",
        "Ask who runs there (`gpuctl get processes -l node=NODE`). If many programs fail on "
        "this one GPU and elsewhere do not, take it for broken."},
    AlertRow{"GpuXidInformation", "info", "0s", "@new_xid:information@",
             "@gpu@ reports XID {{ $labels.xid }}",
             "@which@: XID {{ $labels.xid }} since less than 15 minutes ago.",
             "Something was recorded or repaired. [HEALTH.md](HEALTH.md#xids) lists the codes.",
             "Nothing at once. Look at the node when it comes again and again."},
    AlertRow{"GpuXidUnknown", "warning", "0s", "@new_xid:unknown@",
             "@gpu@ reports XID {{ $labels.xid }}, which has no class",
             "@which@: XID {{ $labels.xid }} since less than 15 minutes ago, a code that is "
             "not in the table.",
             "A code that is newer than the table of this product.",
             "Look it up in NVIDIA's list of XID errors, and treat the GPU by what that says."},
    AlertRow{"GpuEccUncorrected", "critical", "0s", "@gpu_ecc_uncorrected@ > 0",
             "@gpu@ has uncorrected memory errors", "@which@: {{ $value }} uncorrected ECC errors.",
             "Data was lost: a program has ended, or has computed with wrong data. The count is of "
             "the time since the driver was loaded, and is 0 again, and the alert over, when it is "
             "loaded anew. Of exporters that only count over the life of the board (AMD, Intel, "
             "HAMi) it is of the last hour.",
             "Drain the node, reset the GPU, then look at GpuRowRemapFailed. If errors come back, "
             "have the board replaced."},
    AlertRow{"GpuRowRemapFailed", "critical", "0s", "@gpu_row_remap_failure@ == 1",
             "@gpu@ could not remap a row of its memory",
             "@which@: a row of memory is broken and no spare row is left for it.",
             "The board's spare rows are used up for this bank. Errors there will come again.",
             "Drain the node and have the board replaced: NVIDIA's documents call it a reason to "
             "return it."},
    AlertRow{"GpuRowRemapPending", "warning", "15m", "@gpu_row_remap_pending@ > 0",
             "@gpu@ waits for a reset to remap memory",
             "@which@: {{ $value }} rows of memory are remapped by the next reset.",
             "A broken row is in use until the GPU is reset.",
             "Reset the GPU (`nvidia-smi -r -i GPU`) when nobody uses it."},
    AlertRow{
        "GpuLost", "critical", "5m",
        "max by (node, gpu, uuid, gpu_name) (\n(\n"
        "(@gpu_last_seen_seconds@ unless on (node, gpu, uuid) @gpu_present@)\n"
        "and on (job, instance) up == 1\nor\n"
        "(@gpu_last_seen_seconds,node!=\"\"@ unless on (node, gpu, uuid) @gpu_present@)\n"
        "and on (node) @gpu_present@\n)\n"
        // A board that is elsewhere now. Some exporters write zeros for a UUID that they lack.
        "unless on (uuid) @gpu_present,uuid=~\".*[1-9A-Fa-f].*\"@\n)",
        "@gpu@ is gone",
        "@which@: its exporter is up and has not shown it for 5 minutes; it was seen last "
        "{{ humanizeTimestamp $value }}.",
        "A GPU of the last day is no longer shown, though its target is up or others of its "
        "node are shown. Mostly it has fallen off the bus (XID 79). A board that was taken out, or "
        "moved where no exporter tells UUIDs, looks the same; the alert then ends within a day. "
        "One "
        "that is shown elsewhere, or under another index, is not lost.",
        "`gpuctl health --node NODE` and `dmesg | grep -i xid` on the node. Cordon it and "
        "reboot the machine; if the GPU stays away, reseat or replace the board."},
    AlertRow{
        "GpuExporterDown", "warning", "5m",
        "up == 0\nand on (job, instance) @exporter_target@\nor\n"
        // A new pod has a new address: its job tells what it is, where all that is up shows GPUs.
        "(up == 0 and on (job) @exporter_target@)\n"
        "unless on (job) (up == 1 unless on (job, instance) @exporter_target@)",
        "A GPU exporter is down: {{ $labels.instance }}",
        "The target {{ $labels.instance }} of the job {{ $labels.job }}, which shows GPUs, has not "
        "been scraped for 5 minutes. Nobody knows how its GPUs are.",
        "Prometheus cannot scrape a target that has shown GPUs, or one of a job whose targets that "
        "are up all show GPUs, as a pod that took another's place and never came up. A target that "
        "is no longer configured or discovered is not among them.",
        "See why on Prometheus's page /targets; then the exporter's pod "
        "(`kubectl describe pod`, `kubectl logs`) and its node."},
    AlertRow{
        "GpuExporterFailing", "warning", "10m", "@raw:failed@",
        "A GPU exporter shows old values: {{ $labels.instance }}",
        "The exporter at {{ $labels.instance }} (job {{ $labels.job }}) is up and says itself "
        "that it has failed to read its GPUs for 10 minutes.",
        "What it shows of its GPUs is old, or nothing.",
        "Look at the exporter's log, and whether `nvidia-smi` answers on that machine: a driver "
        "that hangs needs a reboot."},
    AlertRow{"GpuMetricsAbsent", "critical", "15m", "absent(@gpu_present@)",
             "No GPU is shown by any exporter of its kind",
             "Prometheus has no series of any GPU of this exporter for 15 minutes.",
             "Either all exporters are down or no longer scraped, or these rules are those of "
             "another exporter than the one that runs.",
             "`gpuctl doctor` says who is found. If another exporter is there, install its rules: "
             "`gpuctl rules`."},
    AlertRow{
        "GpuIdleHeld", "info", "1h", "@gpu_held_utilization_percent@ < @rule:utilization_low@",
        "{{ $labels.namespace }}/{{ $labels.pod }} holds an idle GPU",
        "The pod {{ $labels.namespace }}/{{ $labels.pod }} has held GPU "
        "{{ or $labels.gpu $labels.uuid }}{{ with $labels.node }} of {{ . }}{{ end }} for an "
        "hour and used it below the threshold; now {{ printf \"%.0f\" $value }} %.",
        "A GPU was given to a pod that does not use it. Some exporters write 0 where the driver "
        "does not say how busy the GPU is.",
        "`gpuctl get idle` says since when and, with prices, what it costs. Ask the owner, or "
        "end the pod."},
};

}  // namespace

std::span<const AlertRow> GpuAlertRows() {
  return kRows;
}

}  // namespace gpumon::rules
