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
import { Unknown } from "./value.tsx";

export type Cell = string | number | boolean | null | undefined;

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
  readonly sort: string | null; // "utilization", "-utilization"
  readonly onSort: (sort: string) => void;
  readonly sorted?: boolean; // the server has sorted them
  readonly empty?: ComponentChildren;
  readonly height?: string; // CSS; the rest of the page without it
}

const ROW = 30;
const AHEAD = 8;

// Unknown values come last whichever way it is sorted.
export function compare(a: Cell, b: Cell, down: boolean): number {
  const noA = a === null || a === undefined;
  const noB = b === null || b === undefined;
  if (noA || noB) return noA === noB ? 0 : noA ? 1 : -1;
  const order =
    typeof a === "number" && typeof b === "number" ? a - b : collate(String(a), String(b));
  return down ? -order : order;
}

const collator = new Intl.Collator(undefined, { numeric: true });
function collate(a: string, b: string): number {
  return collator.compare(a, b);
}

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: string | null,
): readonly Row[] {
  if (sort === null) return rows;
  const down = sort.startsWith("-");
  const column = columns.find((one) => one.key === sort.replace(/^-/, ""));
  if (column === undefined) return rows;
  const keyed = rows.map((row) => ({ row, value: column.value(row) }));
  keyed.sort((a, b) => compare(a.value, b.value, down));
  return keyed.map((one) => one.row);
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

export function Table<Row>(props: TableProps<Row>): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(
    () => (props.sorted ? props.rows : sortRows(props.rows, props.columns, props.sort)),
    [props.rows, props.columns, props.sort, props.sorted],
  );
  const virtual = useVirtual(rows.length, scroller);
  const [at, setAt] = useState(-1);

  // j and k go from row to row wherever the focus is, unless somebody types.
  useEffect(() => {
    const listen = (event: Event) => {
      const { detail } = event as CustomEvent<string>;
      if (detail === "open") {
        const row = rows[at];
        const target = row === undefined ? undefined : props.rowHref?.(row);
        if (target !== undefined) location.hash = target;
        return;
      }
      const next = Math.max(0, Math.min(rows.length - 1, at + (detail === "down" ? 1 : -1)));
      setAt(next);
      virtual.scrollToIndex(next);
    };
    document.addEventListener("gpumon-row", listen);
    return () => document.removeEventListener("gpumon-row", listen);
  }, [rows, at, virtual, props.rowHref]);

  if (rows.length === 0) return <div class="empty">{props.empty ?? text.table.empty}</div>;
  const template = props.columns
    .map((column) =>
      column.numeric ? `${column.width}px` : `minmax(${column.width}px, ${column.width}fr)`,
    )
    .join(" ");
  const least = props.columns.reduce((sum, column) => sum + column.width, 0);
  return (
    <div
      ref={scroller}
      class="table"
      role="table"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      style={{
        "--columns": template,
        "--least": `${least}px`,
        ...(props.height ? { height: props.height } : {}),
      }}
    >
      <Head {...props} />
      <div role="rowgroup" class="tbody" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const target = props.rowHref?.(row);
          return (
            <div
              key={props.rowKey(row)}
              class={item.index === at ? "tr at" : "tr"}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={item.index === at ? true : undefined}
              style={{ transform: `translateY(${item.start}px)` }}
              onClick={(event) => {
                setAt(item.index);
                const link = (event.target as Element).closest("a, button");
                const marked = String(getSelection() ?? "") !== "";
                if (target !== undefined && link === null && !marked) location.hash = target;
              }}
            >
              {props.columns.map((column, i) => (
                <BodyCell
                  key={column.key}
                  column={column}
                  row={row}
                  first={i === 0}
                  {...(target === undefined ? {} : { href: target })}
                />
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
