// A table of any length: only the rows that can be seen are in the document. Sort, columns and the
// row that the keyboard is at are told to whoever shows it, which keeps them in the URL.
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { text } from "../text/en.ts";
import { type Cell, orderOf, sortOf } from "./sort.ts";
import { Unknown } from "./value.tsx";

export { type Cell, compare } from "./sort.ts";

export interface Column<Row> {
  readonly key: string; // of the API's field where it is one
  readonly title: string;
  readonly help?: string;
  readonly width: number; // pixels, at least; those of texts grow
  readonly numeric?: boolean;
  // What it is sorted by and written to CSV as; null: unknown.
  readonly value: (row: Row) => Cell;
  // How it is shown; without it the value is. Not called where the value is null.
  readonly show?: (row: Row) => ComponentChildren;
  readonly reason?: (row: Row) => string | undefined; // why it is null
  readonly absent?: (row: Row) => boolean; // null because there is no such thing: an empty cell
  readonly unsortable?: boolean;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly rowHref?: (row: Row) => string;
  readonly rowPart?: (row: Row) => string | undefined; // that it is a part of another, and of what
  readonly sort: string | null; // "utilization", "-utilization"
  readonly onSort: (sort: string) => void;
  readonly sorted?: boolean; // the server has sorted them
  // Where `rows` are only some of `total`, from `first` on: told which can be seen, whoever shows
  // the table gets these.
  readonly total?: number;
  readonly first?: number;
  readonly onSeen?: (first: number, last: number) => void;
  readonly empty?: ComponentChildren;
  readonly height?: string; // CSS; the rest of the page without it
}

const ROW = 30;
const AHEAD = 8;

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: string | null,
): readonly Row[] {
  const wanted = sortOf(sort);
  const column = columns.find((one) => one.key === wanted?.by);
  if (wanted === null || column === undefined) return rows;
  const sorted: Row[] = [];
  for (const i of orderOf(rows.map(column.value), wanted.down)) sorted.push(rows[i] as Row);
  return sorted;
}

function useVirtual(count: number, scroller: { current: HTMLElement | null }) {
  const [, redraw] = useState(0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: AHEAD,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw((n) => n + 1),
  };
  const [virtual] = useState(() => new Virtualizer<HTMLElement, Element>(options));
  virtual.setOptions(options);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  return virtual;
}

function Head<Row>(props: TableProps<Row>): JSX.Element {
  const down = props.sort?.startsWith("-") ?? false;
  const by = props.sort?.replace(/^-/, "");
  return (
    <div class="tr th-row" role="row" aria-rowindex={1}>
      {props.columns.map((column) => {
        const mine = by === column.key;
        const order = mine ? (down ? "descending" : "ascending") : "none";
        return (
          <div
            key={column.key}
            class={column.numeric ? "th numeric" : "th"}
            role="columnheader"
            aria-sort={column.unsortable ? undefined : order}
            title={column.help}
          >
            {column.unsortable ? (
              column.title
            ) : (
              <button
                type="button"
                title={column.help ?? text.table.sortBy(column.title)}
                onClick={() => {
                  const first = column.numeric ? "-" + column.key : column.key;
                  const other = column.numeric ? column.key : "-" + column.key;
                  props.onSort(mine && props.sort === first ? other : first);
                }}
              >
                {column.title}
                <span aria-hidden="true">{mine ? (down ? " ▼" : " ▲") : ""}</span>
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}

function BodyCell<Row>(props: {
  column: Column<Row>;
  row: Row;
  first: boolean;
  href?: string;
}): JSX.Element {
  const { column, row } = props;
  const value = column.value(row);
  const unknown = value === null || value === undefined;
  const shown = !unknown ? (
    (column.show?.(row) ?? String(value))
  ) : column.absent?.(row) ? (
    ""
  ) : (
    <Unknown reason={column.reason?.(row)} />
  );
  return (
    <div
      class={column.numeric ? "td numeric" : "td"}
      role={props.first ? "rowheader" : "cell"}
      title={unknown || typeof value !== "string" ? undefined : value}
    >
      {props.first && props.href !== undefined ? (
        <a href={props.href} tabIndex={-1}>
          {shown}
        </a>
      ) : (
        shown
      )}
    </div>
  );
}

// The cells of a row that is the same as before are left alone.
function BodyRow<Row>(props: {
  columns: readonly Column<Row>[];
  row: Row;
  rowHref: ((row: Row) => string) | undefined;
}): JSX.Element {
  const { columns, row, rowHref } = props;
  return useMemo(() => {
    const href = rowHref?.(row);
    return (
      <>
        {columns.map((column, i) => (
          <BodyCell
            key={column.key}
            column={column}
            row={row}
            first={i === 0}
            {...(href === undefined ? {} : { href })}
          />
        ))}
      </>
    );
  }, [columns, row, rowHref]);
}

// j and k go from row to row wherever the focus is, unless somebody types. The row that they are
// at has its number.
function useRowKeys<Row>(
  count: number,
  rowAt: (index: number) => Row | undefined,
  rowHref: ((row: Row) => string) | undefined,
  show: (index: number) => void,
): [number, (at: number) => void] {
  const [at, setAt] = useState(-1);
  const latest = useRef({ count, rowAt, rowHref, show, at });
  latest.current = { count, rowAt, rowHref, show, at };
  useEffect(() => {
    const listen = (event: Event) => {
      const { detail } = event as CustomEvent<string>;
      const now = latest.current;
      if (detail === "open") {
        const row = now.rowAt(now.at);
        const target = row === undefined ? undefined : now.rowHref?.(row);
        if (target !== undefined) location.hash = target;
        return;
      }
      const next = Math.max(0, Math.min(now.count - 1, now.at + (detail === "down" ? 1 : -1)));
      setAt(next);
      now.show(next);
    };
    document.addEventListener("gpumon-row", listen);
    return () => document.removeEventListener("gpumon-row", listen);
  }, []);
  return [at, setAt];
}

function styleOf<Row>(props: TableProps<Row>): Record<string, string> {
  const template = props.columns
    .map((column) =>
      column.numeric ? `${column.width}px` : `minmax(${column.width}px, ${column.width}fr)`,
    )
    .join(" ");
  const least = props.columns.reduce((sum, column) => sum + column.width, 0);
  return {
    "--columns": template,
    "--least": `${least}px`,
    ...(props.height ? { height: props.height } : {}),
  };
}

function useSorted<Row>({ rows, columns, sort, sorted }: TableProps<Row>): readonly Row[] {
  return useMemo(
    () => (sorted ? rows : sortRows(rows, columns, sort)),
    [rows, columns, sort, sorted],
  );
}

export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useSorted(props);
  const first = props.first ?? 0;
  const count = props.total ?? rows.length;
  const virtual = useVirtual(count, scroller);
  const rowAt = (index: number) => rows[index - first];
  const [at, setAt] = useRowKeys(count, rowAt, props.rowHref, (i) => virtual.scrollToIndex(i));
  const items = virtual.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = (items.at(-1)?.index ?? -1) + 1;
  useEffect(() => props.onSeen?.(from, to), [from, to, props.onSeen]);

  if (count === 0) return <div class="empty">{props.empty ?? text.table.empty}</div>;
  const open = (event: Event, index: number, row: Row | undefined) => {
    setAt(index);
    const link = (event.target as Element).closest("a, button");
    const marked = String(getSelection() ?? "") !== "";
    const target = row === undefined ? undefined : props.rowHref?.(row);
    if (target !== undefined && link === null && !marked) location.hash = target;
  };
  const line = ({ index, start }: { index: number; start: number }) => {
    const row = rowAt(index);
    const part = row === undefined ? undefined : props.rowPart?.(row);
    return (
      <div
        key={row === undefined ? index : props.rowKey(row)}
        class={`tr${index === at ? " at" : ""}${part === undefined ? "" : " part-row"}`}
        title={part}
        role="row"
        aria-rowindex={index + 2}
        aria-current={index === at ? "true" : undefined}
        style={{ transform: `translateY(${start}px)` }}
        onClick={(event) => open(event, index, row)}
      >
        {row === undefined ? (
          <div class="td" role="cell">
            …
          </div>
        ) : (
          <BodyRow columns={props.columns} row={row} rowHref={props.rowHref} />
        )}
      </div>
    );
  };
  return (
    <div
      ref={scroller}
      class="table"
      role="table"
      aria-label={props.label}
      aria-rowcount={count + 1}
      tabIndex={0}
      style={styleOf(props)}
    >
      <Head {...props} />
      <div role="rowgroup" class="tbody" style={{ height: `${virtual.getTotalSize()}px` }}>
        {items.map(line)}
      </div>
    </div>
  );
}
