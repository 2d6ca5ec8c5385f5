// A column for each field of a GPU.
import type { ComponentChildren } from "preact";
import type { GpuRow } from "../../api/live.ts";
import { cellOf, reasonOf } from "../../fleet/cells.ts";
import { columnsOfFields } from "../../parts/columns.tsx";
import { type Field, isNumber, titleOf } from "../../parts/fields.ts";
import { GpuName } from "../../parts/gpuname.tsx";
import { number, time, withUnit } from "../../parts/format.ts";
import type { Column } from "../../parts/table.tsx";
import { Meter } from "../../parts/value.tsx";

const WIDTHS: Record<string, number> = {
  node_name: 150,
  gpu_id: 70,
  gpu_name: 200,
  gpu_index: 100,
  utilization: 130,
  memory_used_percent: 170,
  uuid: 330,
  mig: 150,
  pci_bus_id: 170,
  driver_version: 130,
  workloads: 280,
  throttle_reasons: 160,
  energy: 170,
  null_reasons: 260,
  timestamp: 110,
};
const METERS = new Set(["utilization", "memory_used_percent"]);
// Null without a reason: it does not apply.
const MAY_BE_NONE = new Set(["mig", "null_reasons"]);

// How the value of a field is shown.
export function shownOf(field: Field, value: unknown): ComponentChildren {
  if (typeof value === "number") {
    if (METERS.has(field.name))
      return <Meter percent={value} label={`${number(value, 0)} ${field.unit ?? ""}`} />;
    return withUnit(value, field.unit);
  }
  if (field.name === "timestamp") return time(String(value));
  return String(value);
}

function widthOf(field: Field): number {
  const usual = isNumber(field) ? Math.max(110, 40 + titleOf(field.name).length * 8) : 140;
  return WIDTHS[field.name] ?? usual;
}

export function gpuColumns(
  fields: readonly Field[],
  chosen: readonly string[],
  nullReasons: Record<string, string>,
  byServer: boolean,
  divided: boolean, // there are MIG instances among the rows
): Column<GpuRow>[] {
  const show = (field: Field, row: GpuRow): ComponentChildren =>
    field.name === "gpu_id" ? <GpuName row={row} /> : shownOf(field, cellOf(row, field.name) ?? "");
  return columnsOfFields(fields, chosen, {
    cell: cellOf,
    show,
    reason: (row, name) => reasonOf(row, name, nullReasons),
    width: (field) => (divided && field.name === "gpu_id" ? 190 : widthOf(field)),
    mayBeNone: MAY_BE_NONE,
    byServer,
  });
}
