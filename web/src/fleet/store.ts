// The rows of a fleet in the order somebody looks at them. It lives in the worker: the page has
// only the rows that can be seen, so 20,000 that change every two seconds cost it nothing.
import type { GpuRow } from "../api/live.ts";
import { csvCell } from "../parts/format.ts";
import { orderOf, sortOf } from "../parts/sort.ts";
import { cellOf, haystackOf, reasonOf } from "./cells.ts";

export interface Sent {
  readonly id: number; // the same as long as the row is
  readonly row: GpuRow | null; // null: the page has it
}

// One cell per GPU, in the server's order: by node, then by index.
export interface FleetMap {
  readonly field: string;
  readonly nodes: readonly string[];
  readonly starts: readonly number[]; // the first cell of each node
  // Of each cell, in lines: one text goes to the page sooner than 10,000.
  readonly gpus: string; // how it is called
  readonly ids: string; // gpu_id
  readonly values: Float64Array; // NaN: unknown
  readonly reasons: Readonly<Record<number, string>>;
}

function line(text: unknown): string {
  return typeof text === "string" ? text.replaceAll("\n", " ") : "";
}

export class Fleet {
  rows: readonly GpuRow[] = [];
  nullReasons: Record<string, string> = {};
  private hay = new WeakMap<GpuRow, string>();
  private ids = new WeakMap<GpuRow, number>();
  private next = 1;
  private chosen: readonly GpuRow[] | null = null;
  private ordered: readonly GpuRow[] | null = null;
  private words: readonly string[] = [];
  private sort: string | null = null;

  take(rows: readonly GpuRow[], nullReasons: Record<string, string>): void {
    this.rows = rows;
    this.nullReasons = nullReasons;
    this.chosen = null;
    this.ordered = null;
  }

  look(sort: string | null, words: readonly string[]): void {
    if (words.join("\n") !== this.words.join("\n")) this.chosen = this.ordered = null;
    if (sort !== this.sort) this.ordered = null;
    this.sort = sort;
    this.words = words.map((word) => word.toLowerCase());
  }

  filtered(): readonly GpuRow[] {
    if (this.chosen !== null) return this.chosen;
    if (this.words.length === 0) return (this.chosen = this.rows);
    this.chosen = this.rows.filter((row) => {
      let hay = this.hay.get(row);
      if (hay === undefined) this.hay.set(row, (hay = haystackOf(row)));
      const found = hay;
      return this.words.every((word) => found.includes(word));
    });
    return this.chosen;
  }

  list(): readonly GpuRow[] {
    if (this.ordered !== null) return this.ordered;
    const rows = this.filtered();
    const sort = sortOf(this.sort);
    if (sort === null) return (this.ordered = rows);
    const order = orderOf(
      rows.map((row) => cellOf(row, sort.by)),
      sort.down,
    );
    const ordered: GpuRow[] = [];
    for (const i of order) {
      const row = rows[i];
      if (row !== undefined) ordered.push(row);
    }
    return (this.ordered = ordered);
  }

  private idOf(row: GpuRow): number {
    let id = this.ids.get(row);
    if (id === undefined) this.ids.set(row, (id = this.next++));
    return id;
  }

  // Those from `first` to before `last`; of those that `has` holds only who they are.
  slice(first: number, last: number, has: ReadonlySet<number>): Sent[] {
    return this.list()
      .slice(first, last)
      .map((row) => {
        const id = this.idOf(row);
        return { id, row: has.has(id) ? null : row };
      });
  }

  csv(columns: readonly string[]): string {
    const lines = [columns.map(csvCell).join(",")];
    for (const row of this.list())
      lines.push(columns.map((column) => csvCell(cellOf(row, column))).join(","));
    return lines.join("\r\n") + "\r\n";
  }

  // `levels`: of health, by key, where that is what is shown.
  map(field: string, levels: ReadonlyMap<string, number> | null): FleetMap {
    const rows = this.filtered();
    const nodes: string[] = [];
    const starts: number[] = [];
    const values = new Float64Array(rows.length).fill(NaN);
    const reasons: Record<number, string> = {};
    rows.forEach((row, i) => {
      const node = row.node_name ?? "";
      if (i === 0 || node !== nodes.at(-1)) {
        nodes.push(node);
        starts.push(i);
      }
      const value = levels === null ? cellOf(row, field) : levels.get(healthKey(row));
      if (typeof value === "number") values[i] = value;
      else {
        const why = reasonOf(row, field, this.nullReasons);
        if (why !== undefined) reasons[i] = why;
      }
    });
    return {
      field,
      nodes,
      starts,
      gpus: rows.map((row) => line(cellOf(row, "gpu_id"))).join("\n"),
      ids: rows.map((row) => line(row.gpu_id)).join("\n"),
      values,
      reasons,
    };
  }
}

export function healthKey(row: {
  node_name?: string | null;
  gpu_id?: string | null;
  mig_uuid?: string | null;
  mig?: GpuRow["mig"];
}): string {
  return [row.node_name, row.gpu_id, row.mig_uuid ?? row.mig?.uuid ?? ""].join("\n");
}
