// The columns of the nodes' table; their keys are the API's fields.
import type { Meta } from "../../api/client.ts";
import { columnsOf } from "../../parts/columns.tsx";
import { bytes } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import type { Column } from "../../parts/table.tsx";
import { Meter } from "../../parts/value.tsx";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { Exporters, exportersText, GpuStates, Health, type Node, STATES } from "./parts.tsx";

export const USUAL_COLUMNS: readonly string[] = [
  "node_name",
  "status",
  "score",
  "gpu_count",
  "utilization",
  "memory_used_bytes",
  "temperature_max",
  "cpu",
  "host_memory_used_percent",
  "cores_total",
  "cores_available",
  "gpus_requested",
  "host_temperature",
  "exporters",
  "last_seen",
  "models",
];

export function nodeColumns(meta: Meta): Column<Node>[] {
  const make = columnsOf<Node>(meta.null_reasons);
  return [
    make.text("node_name", words.node, 150),
    make.text("status", words.status, 150, {
      value: (row) => (row.status_reason ? `${row.status}: ${row.status_reason}` : row.status),
      show: (row) => (
        <>
          <Phase of={row.status ?? ""} /> {row.status_reason}
        </>
      ),
    }),
    make.count("score", words.level, 175, { show: (row) => <Health node={row} /> }),
    make.count("gpu_count", words.gpus, 130, { show: (row) => <GpuStates node={row} short /> }),
    make.percent("utilization", words.utilization, 120),
    make.size("memory_used_bytes", words.gpuMemory, 150, {
      show: ({ memory_used_bytes: used, memory_total_bytes: total }) => {
        const label = bytes(used ?? 0);
        return total ? <Meter percent={(100 * (used ?? 0)) / total} label={label} /> : label;
      },
    }),
    make.degrees("temperature_max", words.gpuTemperature, 120),
    make.percent("cpu", words.cpu, 115, { help: words.cpuHelp }),
    make.percent("host_memory_used_percent", words.memory, 115),
    make.count("cores_total", words.cores, 75),
    make.count("cores_available", words.coresFree, 100, { help: words.coresFreeHelp }),
    make.count("gpus_requested", words.requested, 105, { help: words.requestedHelp }),
    make.degrees("host_temperature", words.hostTemperature, 115),
    make.text("exporters", words.exporters, 130, {
      value: (row) => (row.exporters ? exportersText(row) : null),
      show: (row) => <Exporters node={row} />,
    }),
    make.time("last_seen", words.lastSeen, 110),
    make.list("models", words.models, 170, { value: (row) => (row.models ?? []).join(", ") }),
    ...moreColumns(meta),
  ];
}

// What is shown when somebody chooses it.
function moreColumns(meta: Meta): Column<Node>[] {
  const make = columnsOf<Node>(meta.null_reasons);
  return [
    make.percent("utilization_max", words.busiest, 120),
    make.degrees("temperature", words.meanTemperature, 120),
    make.watts("power", words.power, 140),
    make.size("memory_total_bytes", words.gpuMemoryTotal, 140),
    ...STATES.map((state) => make.count(state, words.gpusThat(text.states[state] ?? state), 130)),
    make.count("gpus_lost", words.gpusLost, 95),
    make.count("mig_instances", words.mig, 120),
    make.count("gpus_capacity", words.kubeCapacity, 110),
    make.count("gpus_allocatable", words.kubeAllocatable, 120),
    make.count("gpus_free", words.kubeFree, 95),
    make.text("ready", words.ready, 150, {
      value: (row) => (row.ready == null ? null : row.ready ? words.yes : words.no),
      show: (row) => (row.ready ? words.yes : words.no),
    }),
    make.count("load1", words.load1, 95),
    make.count("load5", words.load5, 95),
    make.count("load15", words.load15, 95),
    make.size("host_memory_total_bytes", words.memoryTotal, 125),
    make.rate("network_rx", words.networkIn, 115),
    make.rate("network_tx", words.networkOut, 115),
    make.list("namespaces", words.namespaces, 200, {
      value: (row) => row.namespaces?.join(", ") ?? null,
    }),
  ];
}
