// Names and values below each other, and small tables.
import type { ComponentChildren, JSX } from "preact";
import type { Meta } from "../api/client.ts";
import type { Asked } from "../api/query.ts";
import { words } from "../text/en/filters.ts";
import { time } from "./format.ts";
import { hostTime } from "./hosttime.ts";
import { Shown } from "./asked.tsx";
import { Unknown } from "./value.tsx";
import "../style/filters.css";

export interface WithReasons {
  readonly null_reasons?: Readonly<Record<string, string>> | null;
}

// Why a field of the row is null; undefined: it does not apply.
export function reasonOf(row: WithReasons, meta: Meta, field: string): string | undefined {
  return row.null_reasons?.[field] ?? meta.null_reasons?.[field];
}

export type FactRow = readonly [
  string,
  ComponentChildren | null | undefined,
  (string | undefined)?,
];

// Of each: its name, its value, and why that is null. `sparse` leaves out what does not apply.
export function Facts(props: { rows: readonly FactRow[]; sparse?: boolean }): JSX.Element {
  const rows = props.sparse
    ? props.rows.filter(([, value, reason]) => (value ?? null) !== null || reason !== undefined)
    : props.rows;
  return (
    <dl class="facts">
      {rows.map(([name, value, reason]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value === null || value === undefined ? <Unknown reason={reason} /> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

export interface PlainColumn {
  readonly title: string;
  readonly numeric?: boolean;
}

// A table that is short enough to stand as it is. The first cell of a row names it.
export function PlainTable(props: {
  label: string;
  columns: readonly PlainColumn[];
  rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[];
  foot?: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[];
}): JSX.Element {
  const kind = (i: number) => (props.columns[i]?.numeric ? "numeric" : undefined);
  const row = (one: { key: string; cells: readonly ComponentChildren[] }) => (
    <tr key={one.key}>
      {one.cells.map((cell, i) =>
        i === 0 ? (
          <th key={i} scope="row" class={kind(i)}>
            {cell}
          </th>
        ) : (
          <td key={i} class={kind(i)}>
            {cell}
          </td>
        ),
      )}
    </tr>
  );
  return (
    <div class="plain-box" tabIndex={0} role="region" aria-label={props.label}>
      <table class="plain" aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column, i) => (
              <th key={column.title} scope="col" class={kind(i)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.rows.map(row)}</tbody>
        {props.foot && <tfoot>{props.foot.map(row)}</tfoot>}
      </table>
    </div>
  );
}

export function Time(props: { iso: string }): JSX.Element {
  return (
    <time dateTime={props.iso} title={props.iso}>
      {time(props.iso)}
    </time>
  );
}

// `short`: where many stand below each other.
export function HostTimeText(props: {
  text: string;
  zone: string | null | undefined;
  short?: boolean;
}): JSX.Element {
  const { words: shown, local } = hostTime(props.text, props.zone);
  if (!local) return <Time iso={shown} />;
  return (
    <span title={`${shown} (${words.localTime})`}>
      {shown} <small>({props.short ? words.localShort : words.localTime})</small>
    </span>
  );
}

// Like Shown, for what is asked quietly: that what is shown is old is said beside it.
export function Kept<T>(props: {
  of: Asked<T>;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { error, data } = props.of;
  return (
    <>
      {error !== undefined && data !== undefined && (
        <p class="kept" role="status">
          {words.old(error.message)}
        </p>
      )}
      <Shown of={props.of}>{props.children}</Shown>
    </>
  );
}
