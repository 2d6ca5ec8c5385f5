// All values of a GPU, grouped, with the reason for each that is unknown.
import type { JSX } from "preact";
import type { GpuRow } from "../../api/live.ts";
import { cellOf, keyOf, reasonOf } from "../../fleet/cells.ts";
import { type Field, helpOf, titleOf } from "../../parts/fields.ts";
import { Unknown } from "../../parts/value.tsx";
import { gpuText } from "../../text/en/gpu.ts";
import { text } from "../../text/en.ts";
import { shownOf } from "./columns.tsx";

type Group = keyof typeof gpuText.groups;

const GROUPS: readonly Group[] = ["load", "memory", "heat", "clocks", "errors", "links", "device"];

// These stand elsewhere on the page; the first three are the same as those in bytes.
const ELSEWHERE = new Set([
  "memory_used",
  "memory_total",
  "memory_free",
  "workloads",
  "mig",
  "null_reasons",
  "node_name",
  "gpu_id",
]);

function groupOf(name: string): Group {
  if (/^(ecc|row_remap|xid|pcie_replay|nvlink_errors)/.test(name)) return "errors";
  if (/^(pcie_|nvlink_)/.test(name)) return "links";
  if (/^(temperature|memory_temperature|power|energy|fan)/.test(name)) return "heat";
  if (/(clock|pstate|throttle)/.test(name)) return "clocks";
  if (/(utilization|active|occupancy)/.test(name)) return "load";
  if (/^memory_/.test(name)) return "memory";
  return "device";
}

function ValueOf(props: {
  field: Field;
  row: GpuRow;
  nullReasons: Record<string, string>;
}): JSX.Element {
  const { field, row, nullReasons } = props;
  const value = cellOf(row, field.name);
  if (value === null) return <Unknown reason={reasonOf(row, field.name, nullReasons)} />;
  if (value === "") return <>{text.none}</>;
  return <>{shownOf(field, value)}</>;
}

export function Values(props: {
  fields: readonly Field[];
  rows: readonly GpuRow[]; // the GPU, or its instances
  nameOf: (row: GpuRow) => string;
  nullReasons: Record<string, string>;
}): JSX.Element {
  const { fields, rows, nameOf, nullReasons } = props;
  const shown = fields.filter((field) => !ELSEWHERE.has(field.name));
  return (
    <div class={rows.length > 1 ? "values divided" : "values"}>
      {GROUPS.map((group) => (
        <section key={group} aria-label={gpuText.groups[group]}>
          <h4>{gpuText.groups[group]}</h4>
          <table class="plain">
            {rows.length > 1 && (
              <thead>
                <tr>
                  <th scope="col">{gpuText.columns.field}</th>
                  {rows.map((row) => (
                    <th key={keyOf(row)} scope="col">
                      {nameOf(row)}
                    </th>
                  ))}
                </tr>
              </thead>
            )}
            <tbody>
              {shown
                .filter((field) => groupOf(field.name) === group)
                .map((field) => (
                  <tr key={field.name}>
                    <th scope="row" title={helpOf(field)}>
                      {titleOf(field.name)}
                    </th>
                    {rows.map((row) => (
                      <td key={keyOf(row)}>
                        <ValueOf field={field} row={row} nullReasons={nullReasons} />
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}
