// All GPUs.
import type { JSX } from "preact";
import { type GpuRow, useLiveGpus } from "../api/live.ts";
import { bytes, number } from "../parts/format.ts";
import { type Column, Table } from "../parts/table.tsx";
import { Meter } from "../parts/value.tsx";
import { href, param, setParams } from "../state/place.ts";
import { range } from "../state/range.ts";
import { text } from "../text/en.ts";

export default function Gpus(): JSX.Element {
  const live = useLiveGpus({}, range.value.at);
  const reason = (field: string) => (row: GpuRow) =>
    row.null_reasons?.[field] ?? live.nullReasons[field];
  const columns: Column<GpuRow>[] = [
    { key: "node_name", title: "Node", width: 150, value: (row) => row.node_name },
    { key: "gpu_id", title: "GPU", width: 60, value: (row) => row.gpu_id },
    {
      key: "utilization",
      title: "Utilization",
      width: 130,
      numeric: true,
      value: (row) => row.utilization,
      show: (row) => (
        <Meter percent={row.utilization} label={`${number(row.utilization ?? 0, 0)} %`} />
      ),
      reason: reason("utilization"),
    },
    {
      key: "memory_used_bytes",
      title: "Memory",
      width: 130,
      numeric: true,
      value: (row) => row.memory_used_bytes,
      show: (row) => bytes(row.memory_used_bytes ?? 0),
      reason: reason("memory_used_bytes"),
    },
  ];
  if (live.rows === undefined) return <p class="loading">{text.loading}</p>;
  return (
    <Table
      label={text.views.gpus}
      columns={columns}
      rows={live.rows}
      rowKey={(row) => row.key ?? `${row.node_name}/${row.gpu_id}/${row.uuid}`}
      rowHref={(row) => href(["gpus", row.node_name ?? "", row.gpu_id ?? ""])}
      sort={param("sort")}
      onSort={(sort) => setParams({ sort })}
    />
  );
}
