// THE maker of columns. A column's key is a field of the API, its kind says how the field is shown,
// and the row or the answer says why it is null.
import type { ComponentChildren } from "preact";
import type { NullReasons } from "../api/client.ts";
import { type Field, helpOf, isNumber, isSortable, titleOf } from "./fields.ts";
import { bytes, duration, number, time } from "./format.ts";
import type { Cell, Column } from "./table.tsx";
import { Meter, State } from "./value.tsx";

export interface Reasoned {
  readonly null_reasons?: Readonly<Record<string, string>> | null;
}
type Key<Row> = keyof Row & string;
type More<Row> = Partial<Pick<Column<Row>, "absent" | "help" | "show" | "unsortable" | "value">>;

// `absent`: whether null means that there is no such thing.
export function columnsOf<Row extends Reasoned>(
  reasons: NullReasons = {},
  absent?: (field: Key<Row>, row: Row) => boolean,
) {
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
    ...(absent === undefined ? {} : { absent: (row) => absent(key, row) }),
    ...more,
  });
  // The value is known where `words` is asked for.
  const numeric =
    (words: (value: number, row: Row) => ComponentChildren) =>
    (key: Key<Row>, title: string, width = 100, more: More<Row> = {}): Column<Row> => ({
      ...base(key, title, width, { show: (row) => words(Number(cell(row, key)), row), ...more }),
      numeric: true,
    });
  const said =
    (words: (value: string, row: Row) => ComponentChildren, usual: number) =>
    (key: Key<Row>, title: string, width = usual, more: More<Row> = {}): Column<Row> =>
      base(key, title, width, { show: (row) => words(String(cell(row, key)), row), ...more });
  return {
    text: (key: Key<Row>, title: string, width = 140, more: More<Row> = {}) =>
      base(key, title, width, more),
    list: (key: Key<Row>, title: string, width = 160, more: More<Row> = {}) =>
      base(key, title, width, {
        show: (row) => (row[key] as readonly string[]).join(", ") || "–",
        ...more,
      }),
    state: said((value) => <State state={value} />, 110),
    time: said((value) => time(value), 170),
    count: numeric((value) => number(value, 2)),
    size: numeric((value) => bytes(value)),
    rate: numeric((value) => `${bytes(value)}/s`),
    percent: numeric((value) => <Meter percent={value} label={`${number(value, 0)} %`} />),
    degrees: numeric((value) => `${number(value, 0)} °C`),
    watts: numeric((value) => `${number(value, 0)} W`),
    duration: numeric((value) => duration(value)),
    hours: numeric((value) => (value / 3600).toFixed(1)),
    money: numeric((value) => value.toFixed(2)),
  };
}

// Columns of whatever fields /fields tells of, in the order they were chosen in.
export interface Described<Row> {
  readonly cell: (row: Row, field: string) => Cell;
  readonly show: (field: Field, row: Row) => ComponentChildren; // of what is not null
  readonly reason: (row: Row, field: string) => string | undefined;
  readonly width: (field: Field) => number;
  readonly title?: (field: string) => string;
  readonly mayBeNone: ReadonlySet<string>; // null without a reason: it does not apply
  readonly byServer: boolean; // who sorts
}

export function columnsOfFields<Row>(
  fields: readonly Field[],
  chosen: readonly string[],
  of: Described<Row>,
): Column<Row>[] {
  const known = new Map(fields.map((field) => [field.name, field]));
  return chosen.flatMap((name) => {
    const field = known.get(name);
    if (field === undefined) return [];
    return {
      key: name,
      title: of.title?.(name) ?? titleOf(name),
      help: helpOf(field),
      width: of.width(field),
      numeric: isNumber(field),
      value: (row: Row) => {
        const cell = of.cell(row, name);
        if (cell !== null || !of.mayBeNone.has(name)) return cell;
        return of.reason(row, name) === undefined ? "" : null;
      },
      show: (row: Row) => of.show(field, row),
      reason: (row: Row) => of.reason(row, name),
      ...(of.byServer && !isSortable(field) ? { unsortable: true } : {}),
    };
  });
}
