// The columns of the nodes' table; their keys are the API's fields.
import type { ComponentChildren } from "preact";
import type { Meta } from "../../api/client.ts";
import { bytes, number, time } from "../../parts/format.ts";
import { reasonOf } from "../../parts/facts.tsx";
import { Phase } from "../../parts/phase.tsx";
import type { Column } from "../../parts/table.tsx";
import { Meter } from "../../parts/value.tsx";
import { words } from "../../text/en/nodes.ts";
import { Exporters, exportersText, GpuStates, Health, type Node, PercentMeter } from "./parts.tsx";

type Key = keyof Node & string;

export function nodeColumns(meta: Meta): Column<Node>[] {
  const reason = (field: string) => (row: Node) => reasonOf(row, meta, field);
  const figure = (
    key: Key,
    title: string,
    width: number,
    show?: (value: number, row: Node) => ComponentChildren,
    help?: string,
  ): Column<Node> => ({
    key,
    title,
    width,
    numeric: true,
    value: (row) => row[key] as number | null | undefined,
    reason: reason(key),
    ...(help === undefined ? {} : { help }),
    ...(show === undefined ? {} : { show: (row) => show(row[key] as number, row) }),
  });
  const share = (value: number) => <PercentMeter value={value} />;
  const whole = (value: number) => number(value, 0);
  const degrees = (value: number) => `${number(value, 0)} °C`;
  return [
    { key: "node_name", title: words.node, width: 150, value: (row) => row.node_name },
    {
      key: "status",
      title: words.status,
      width: 150,
      value: (row) => (row.status_reason ? `${row.status}: ${row.status_reason}` : row.status),
      show: (row) => (
        <>
          <Phase of={row.status ?? ""} /> {row.status_reason}
        </>
      ),
      reason: reason("status"),
    },
    {
      key: "score",
      title: words.level,
      width: 140,
      numeric: true,
      value: (row) => row.score,
      show: (row) => <Health node={row} reason={undefined} />,
      reason: reason("score"),
    },
    figure("gpu_count", words.gpus, 130, (_, row) => <GpuStates node={row} short />),
    figure("utilization", words.utilization, 120, share),
    {
      ...figure("memory_used_bytes", words.gpuMemory, 150, (used, row) => {
        const total = row.memory_total_bytes;
        if (!total) return bytes(used);
        return <Meter percent={(100 * used) / total} label={bytes(used)} />;
      }),
    },
    figure("temperature_max", words.gpuTemperature, 120, degrees),
    figure("cpu", words.cpu, 115, share, words.cpuHelp),
    figure("host_memory_used_percent", words.memory, 115, share),
    figure("cores_total", words.cores, 75, whole),
    figure("cores_available", words.coresFree, 100, (n) => number(n), words.coresFreeHelp),
    figure("gpus_requested", words.requested, 105, whole, words.requestedHelp),
    figure("host_temperature", words.hostTemperature, 115, degrees),
    {
      key: "exporters",
      title: words.exporters,
      width: 130,
      value: (row) => (row.exporters ? exportersText(row) : null),
      show: (row) => <Exporters node={row} />,
      reason: reason("exporters"),
    },
    {
      key: "last_seen",
      title: words.lastSeen,
      width: 110,
      value: (row) => row.last_seen,
      show: (row) => time(row.last_seen ?? ""),
      reason: reason("last_seen"),
    },
    {
      key: "models",
      title: words.models,
      width: 170,
      value: (row) => (row.models ?? []).join(", "),
    },
  ];
}
