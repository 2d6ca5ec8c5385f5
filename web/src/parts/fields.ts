// What the API says of its own fields.
import type { Schemas } from "../api/client.ts";
import { type Asked, useAsked } from "../api/query.ts";
import type { FilterNames } from "./filtertext.ts";

export type Field = Schemas["Field"];
export type List = Field["list"];

export function useFields(): Asked<Field[]> {
  return useAsked<Field[]>("api/v1/gpu/fields", {}, 0);
}

export function fieldsOf(fields: readonly Field[] | undefined, list: List): Field[] {
  return (fields ?? []).filter((field) => field.list === list);
}

export function isNumber(field: Field): boolean {
  return field.type === "number" || field.type === "integer";
}

// What a list has no order of: lists and objects.
export function isSortable(field: Field): boolean {
  return field.type !== "array" && field.type !== "object";
}

const TEXTS = ["node", "gpu", "uuid", "model", "namespace", "pod", "user"];

export function namesOf(fields: readonly Field[]): FilterNames {
  return { texts: TEXTS, numbers: fields.filter(isNumber).map((field) => field.name) };
}

const WORDS: Record<string, string> = {
  gpu: "GPU",
  uuid: "UUID",
  mig: "MIG",
  pci: "PCI",
  pcie: "PCIe",
  nvlink: "NVLink",
  sm: "SM",
  xid: "XID",
  ecc: "ECC",
  dram: "DRAM",
  cpu: "CPU",
  pid: "PID",
  rx: "received",
  tx: "sent",
  id: "id",
  pstate: "P-state",
};
const NAMES: Record<string, string> = {
  node_name: "Node",
  gpu_id: "GPU",
  gpu_name: "Model",
  process_name: "Process",
  gpu_memory_bytes: "GPU memory",
  gpu_memory: "GPU memory, MiB",
  memory_used: "Memory used, GiB",
  memory_total: "Memory total, GiB",
  memory_free: "Memory free, GiB",
  memory_utilization: "Memory controller",
  memory_used_percent: "Memory used, %",
  sample_age_seconds: "Sample age",
};

// "memory_used_bytes": "Memory used".
export function titleOf(name: string): string {
  const known = NAMES[name];
  if (known !== undefined) return known;
  const words = name
    .replace(/_bytes$/, "")
    .split("_")
    .map((word) => WORDS[word] ?? word)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function helpOf(field: Field): string {
  const unit = field.unit ? ` [${field.unit}]` : "";
  return `${field.help}${unit} (${field.name})`;
}
