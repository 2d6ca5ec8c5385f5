// The MIG instances of a GPU, one below the other.
import type { ComponentChildren, JSX } from "preact";
import type { GpuRow } from "../../api/live.ts";
import { isInstance, podsText, reasonOf } from "../../fleet/cells.ts";
import { bytes, number } from "../../parts/format.ts";
import { Plain, type PlainColumn } from "../../parts/plain.tsx";
import { Meter } from "../../parts/value.tsx";
import { gpuText } from "../../text/en/gpu.ts";
import { text } from "../../text/en.ts";

const words = gpuText.columns;

type Field = "utilization" | "sm_active" | "tensor_active" | "dram_active";

function instanceColumns(nullReasons: Record<string, string>): PlainColumn<GpuRow>[] {
  const because = (field: string) => (row: GpuRow) => reasonOf(row, field, nullReasons);
  const share = (title: string, field: Field): PlainColumn<GpuRow> => ({
    title,
    numeric: true,
    show: (row) => {
      const value = row[field];
      return value == null ? null : <Meter percent={value} label={`${number(value, 0)} %`} />;
    },
    reason: because(field),
  });
  const size = (title: string, field: "memory_used_bytes" | "memory_total_bytes") => ({
    title,
    numeric: true,
    show: (row: GpuRow): ComponentChildren => {
      const value = row[field];
      return value == null ? null : bytes(value);
    },
    reason: because(field),
  });
  return [
    { title: words.profile, show: (row) => row.mig?.profile },
    { title: words.gpuInstance, numeric: true, show: (row) => row.mig?.gpu_instance_id },
    { title: words.computeInstance, numeric: true, show: (row) => row.mig?.compute_instance_id },
    size(words.memory, "memory_used_bytes"),
    size(words.memoryTotal, "memory_total_bytes"),
    share(words.engines, "utilization"),
    share(words.sm, "sm_active"),
    share(words.tensor, "tensor_active"),
    share(words.dram, "dram_active"),
    {
      title: words.heldBy,
      show: (row) => {
        const pods = podsText(row.workloads);
        return pods === "" ? text.none : pods;
      },
      reason: because("workloads"),
    },
    { title: words.uuid, show: (row) => row.mig?.uuid && <code>{row.mig.uuid}</code> },
  ];
}

export function Instances(props: {
  rows: readonly GpuRow[];
  nullReasons: Record<string, string>;
}): JSX.Element | null {
  const rows = props.rows.filter(isInstance);
  if (rows.length === 0) return null;
  return (
    <section aria-label={gpuText.instances} class="instances">
      <h3>{gpuText.instances}</h3>
      <p>{gpuText.instancesHelp}</p>
      <Plain label={gpuText.instances} columns={instanceColumns(props.nullReasons)} rows={rows} />
    </section>
  );
}
