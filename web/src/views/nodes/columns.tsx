// The columns of the nodes' table; their keys are the API's fields.
import type { Meta } from "../../api/client.ts";
import { columnsFor } from "../../parts/fieldcolumns.tsx";
import { bytes, number, time } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import type { Column } from "../../parts/table.tsx";
import { Meter } from "../../parts/value.tsx";
import { words } from "../../text/en/nodes.ts";
import { Exporters, exportersText, GpuStates, Health, type Node, PercentMeter } from "./parts.tsx";

const share = (value: number) => <PercentMeter value={value} />;
const whole = (value: number) => number(value, 0);
const degrees = (value: number) => `${number(value, 0)} °C`;

export function nodeColumns(meta: Meta): Column<Node>[] {
  const { said, figure } = columnsFor<Node>(meta);
  return [
    said("node_name", words.node, 150),
    {
      ...said("status", words.status, 150),
      value: (row) => (row.status_reason ? `${row.status}: ${row.status_reason}` : row.status),
      show: (row) => (
        <>
          <Phase of={row.status ?? ""} /> {row.status_reason}
        </>
      ),
    },
    figure("score", words.level, 140, (_, row) => <Health node={row} />),
    figure("gpu_count", words.gpus, 130, (_, row) => <GpuStates node={row} short />),
    figure("utilization", words.utilization, 120, share),
    figure("memory_used_bytes", words.gpuMemory, 150, (used, row) => {
      const total = row.memory_total_bytes;
      if (!total) return bytes(used);
      return <Meter percent={(100 * used) / total} label={bytes(used)} />;
    }),
    figure("temperature_max", words.gpuTemperature, 120, degrees),
    figure("cpu", words.cpu, 115, share, words.cpuHelp),
    figure("host_memory_used_percent", words.memory, 115, share),
    figure("cores_total", words.cores, 75, whole),
    figure("cores_available", words.coresFree, 100, (value) => number(value), words.coresFreeHelp),
    figure("gpus_requested", words.requested, 105, whole, words.requestedHelp),
    figure("host_temperature", words.hostTemperature, 115, degrees),
    {
      ...said("exporters", words.exporters, 130, (_, row) => <Exporters node={row} />),
      value: (row) => (row.exporters ? exportersText(row) : null),
    },
    said("last_seen", words.lastSeen, 110, (value) => time(value)),
    {
      ...said("models", words.models, 170),
      value: (row) => (row.models ?? []).join(", "),
    },
  ];
}
