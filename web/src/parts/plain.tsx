// A short table, all of whose rows are in the document.
import type { ComponentChildren, JSX } from "preact";
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
  return (
    // What is wider than the page is scrolled, also by keyboard.
    <div class="short-box" tabIndex={0} role="group" aria-label={props.label}>
      <table class="short-table">
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.title} scope="col" class={column.numeric ? "numeric" : ""}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, i) => (
            <tr key={i}>
              {props.columns.map((column) => (
                <td key={column.title} class={column.numeric ? "numeric" : ""}>
                  {column.show(row) ?? <Unknown reason={column.reason?.(row)} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
