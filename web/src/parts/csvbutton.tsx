// Saves what a table shows, in its order.
import type { JSX } from "preact";
import { text } from "../text/en.ts";
import { save, toCsv } from "./csv.ts";
import { type Column, sortRows } from "./table.tsx";

export function CsvButton<Row>(props: {
  name: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  sort: string | null;
}): JSX.Element {
  const { name, columns, rows, sort } = props;
  return (
    <button
      type="button"
      disabled={rows === undefined}
      onClick={() => save(name, toCsv(columns, sortRows(rows ?? [], columns, sort)))}
    >
      {text.table.csv}
    </button>
  );
}
