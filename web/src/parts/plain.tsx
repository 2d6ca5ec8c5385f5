// A short table whose cells are made of its rows. What is null is unknown.
import type { ComponentChildren, JSX } from "preact";
import { PlainTable } from "./facts.tsx";
import { Unknown } from "./value.tsx";

export interface PlainColumn<Row> {
  readonly title: string;
  readonly numeric?: boolean;
  readonly show: (row: Row) => ComponentChildren; // null: unknown
  readonly reason?: (row: Row) => string | undefined;
}

export function Plain<Row>(props: {
  label: string;
  columns: readonly PlainColumn<Row>[];
  rows: readonly Row[];
}): JSX.Element {
  const { label, columns, rows } = props;
  return (
    <PlainTable
      label={label}
      columns={columns}
      rows={rows.map((row, i) => ({
        key: String(i),
        cells: columns.map(
          (column) => column.show(row) ?? <Unknown reason={column.reason?.(row)} />,
        ),
      }))}
    />
  );
}
