// What stands in a cell of a GPU's row, for the table, for sorting and for CSV.
import type { GpuRow } from "../api/live.ts";
import type { Cell } from "../parts/sort.ts";

// Asked of the stream for the usual columns and the heat map. The server streams at most 16
// different choices of fields, so there are two: these, and all.
export const USUAL_FIELDS: readonly string[] = [
  "node_name",
  "gpu_index",
  "gpu_name",
  "utilization",
  "temperature",
  "gpu_id",
  "uuid",
  "mig",
  "memory_used_bytes",
  "memory_total_bytes",
  "memory_used_percent",
  "power",
  "throttle_reasons",
  "xid_last",
  "workloads",
  "null_reasons",
];

export const USUAL_COLUMNS: readonly string[] = [
  "node_name",
  "gpu_id",
  "gpu_name",
  "utilization",
  "memory_used_bytes",
  "memory_used_percent",
  "temperature",
  "power",
  "throttle_reasons",
  "xid_last",
  "workloads",
];

export function migText(mig: GpuRow["mig"]): string | null {
  if (mig === null || mig === undefined) return null;
  const parts = [mig.gpu_instance_id, mig.compute_instance_id].filter((part) => part !== null);
  return [mig.profile, parts.join("/")].filter((part) => part).join(" #") || mig.uuid || "MIG";
}

export function isInstance(row: GpuRow): boolean {
  return row.mig !== null && row.mig !== undefined;
}

// What tells the instances of a GPU apart: some exporters know no UUID of theirs.
export function migKey(mig: GpuRow["mig"]): string {
  if (mig === null || mig === undefined) return "";
  return mig.uuid ?? [mig.gpu_instance_id, mig.compute_instance_id, mig.profile].join("/");
}

export function podsText(workloads: GpuRow["workloads"]): string | null {
  if (workloads === null || workloads === undefined) return null;
  return workloads.map((one) => [one.namespace, one.pod].filter(Boolean).join("/")).join(", ");
}

// Null: unknown, or, of what is a list, that nobody says.
export function cellOf(row: GpuRow, field: string): Cell {
  const value = (row as Record<string, unknown>)[field];
  if (value === null || value === undefined) return null;
  if (field === "mig") return migText(row.mig);
  if (field === "workloads") return podsText(row.workloads);
  if (field === "gpu_id" && row.mig) return `${row.gpu_id ?? ""} · ${migText(row.mig) ?? ""}`;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (Array.isArray(value)) return value.join(", ");
  const said = Object.entries(value).map(([name, one]) => `${name}: ${String(one)}`);
  return said.length > 0 ? said.join(", ") : null;
}

// Why a value is null; what does not apply has no reason.
export function reasonOf(
  row: GpuRow,
  field: string,
  everywhere: Record<string, string>,
): string | undefined {
  return row.null_reasons?.[field] ?? everywhere[field];
}

export function keyOf(row: GpuRow): string {
  return row.key ?? [row.node_name, row.gpu_id, row.uuid, migKey(row.mig)].join("\n");
}

// What quick words are looked for in.
export function haystackOf(row: GpuRow): string {
  const parts = [row.node_name, row.gpu_id, row.gpu_name, row.uuid];
  if (isInstance(row)) parts.push("MIG", migText(row.mig), row.mig?.uuid);
  for (const one of row.workloads ?? []) parts.push(one.namespace, one.pod);
  return parts.filter(Boolean).join("\n").toLowerCase();
}
