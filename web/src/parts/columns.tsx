// Columns of the API's fields, each shown by its kind.
import type { ComponentChildren } from "preact";
import type { NullReasons } from "../api/client.ts";
import { bytes, duration, number, time } from "./format.ts";
import type { Cell, Column } from "./table.tsx";
import { Meter, State } from "./value.tsx";

export interface Reasoned {
  readonly null_reasons?: Record<string, string>;
}
type Key<Row> = keyof Row & string;
type More<Row> = Partial<Pick<Column<Row>, "help" | "show" | "unsortable" | "value">>;

export type Columns<Row extends Reasoned> = ReturnType<typeof columnsOf<Row>>;

export function columnsOf<Row extends Reasoned>(reasons: NullReasons) {
  const cell = (row: Row, key: Key<Row>): Cell => {
    const value = row[key] as unknown;
    if (Array.isArray(value)) return value.map(String).join(" ");
    return value as Cell;
  };
  const base = (key: Key<Row>, title: string, width: number, more: More<Row>): Column<Row> => ({
    key,
    title,
    width,
    value: (row) => cell(row, key),
    reason: (row) => row.null_reasons?.[key] ?? reasons[key],
    ...more,
  });
  // The value is known where `words` is asked for.
  const numeric =
    (words: (value: number, row: Row) => ComponentChildren) =>
    (key: Key<Row>, title: string, width = 100, more: More<Row> = {}): Column<Row> => ({
      ...base(key, title, width, { show: (row) => words(Number(cell(row, key)), row), ...more }),
      numeric: true,
    });
  return {
    text: (key: Key<Row>, title: string, width = 140, more: More<Row> = {}) =>
      base(key, title, width, more),
    list: (key: Key<Row>, title: string, width = 160, more: More<Row> = {}) =>
      base(key, title, width, {
        show: (row) => (row[key] as readonly string[]).join(", ") || "–",
        ...more,
      }),
    state: (key: Key<Row>, title: string, width = 110, more: More<Row> = {}) =>
      base(key, title, width, { show: (row) => <State state={String(cell(row, key))} />, ...more }),
    time: (key: Key<Row>, title: string, width = 170, more: More<Row> = {}) =>
      base(key, title, width, { show: (row) => time(String(cell(row, key))), ...more }),
    count: numeric((value) => number(value, 2)),
    size: numeric((value) => bytes(value)),
    percent: numeric((value) => <Meter percent={value} label={`${number(value, 0)} %`} />),
    duration: numeric((value) => duration(value)),
    hours: numeric((value) => (value / 3600).toFixed(1)),
    money: numeric((value) => value.toFixed(2)),
  };
}
