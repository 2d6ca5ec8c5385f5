// A list of the API: asked for with its filters, sorted, shown as a table, saved as a file.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Params } from "../api/client.ts";
import { type Asked, useAsked } from "../api/query.ts";
import { param, setParams } from "../state/place.ts";
import { text } from "../text/en.ts";
import { Shown } from "./asked.tsx";
import { save, toCsv } from "./csv.ts";
import { type Column, sortRows, Table } from "./table.tsx";
import "../style/lists.css";

// As many rows as are asked for. Where there are more the server sorts, so that the first are the
// first of all.
const MOST = 5000;

export function useList<Row>(
  path: string | null,
  params: Params,
  every?: number,
): Asked<readonly Row[]> {
  const [big, setBig] = useState(false);
  const sort = param("sort");
  const asked = useAsked<readonly Row[]>(
    path,
    { ...params, limit: MOST, ...(big && sort !== null ? { sort } : {}) },
    every,
  );
  const total = asked.meta.total ?? 0;
  useEffect(() => {
    if (total > MOST) setBig(true);
  }, [total]);
  return asked;
}

export interface ListProps<Row> {
  readonly of: Asked<readonly Row[]>;
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly rowHref?: (row: Row) => string;
  readonly usualSort?: string;
  readonly empty: ComponentChildren;
  readonly children?: ComponentChildren; // beside the number of rows
}

const ROW = 30;

export function Rows<Row>(
  props: Omit<ListProps<Row>, "of"> & { rows: readonly Row[]; total?: number | undefined },
): JSX.Element {
  const { rows, columns, label } = props;
  const sort = param("sort") ?? props.usualSort ?? null;
  const total = props.total ?? rows.length;
  // What cannot be sorted are links.
  const values = columns.filter((column) => !column.unsortable);
  return (
    <div class="list">
      <div class="list-tools">
        <span>{text.table.rows(rows.length)}</span>
        {props.children}
        <button
          type="button"
          disabled={rows.length === 0}
          onClick={() => save(`${label}.csv`, toCsv(values, sortRows(rows, columns, sort)))}
        >
          {text.table.csv}
        </button>
      </div>
      {total > rows.length && <p class="note">{text.list.more(rows.length, total)}</p>}
      <Table
        label={label}
        columns={columns}
        rows={rows}
        rowKey={props.rowKey}
        {...(props.rowHref ? { rowHref: props.rowHref } : {})}
        sort={sort}
        onSort={(chosen) => setParams({ sort: chosen })}
        empty={props.empty}
        height={`min(${ROW * (rows.length + 1) + 20}px, max(55vh, 300px))`}
      />
    </div>
  );
}

export function List<Row>(props: ListProps<Row>): JSX.Element {
  return (
    <Shown of={props.of}>
      {(rows) => <Rows {...props} rows={rows} total={props.of.meta.total} />}
    </Shown>
  );
}
