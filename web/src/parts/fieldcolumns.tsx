// Columns of the API's fields: the key of a column is its field, and the field says why it is null.
import type { ComponentChildren } from "preact";
import type { Meta } from "../api/client.ts";
import { reasonOf, type WithReasons } from "./facts.tsx";
import { number } from "./format.ts";
import type { Cell, Column } from "./table.tsx";

export type Show<Row, Value> = (value: Value, row: Row) => ComponentChildren;

export interface Columns<Row> {
  readonly said: (
    key: keyof Row & string,
    title: string,
    width: number,
    show?: Show<Row, string>,
  ) => Column<Row>;
  readonly figure: (
    key: keyof Row & string,
    title: string,
    width: number,
    show?: Show<Row, number>,
    help?: string,
  ) => Column<Row>;
}

// `absent`: whether null means that there is no such thing.
export function columnsFor<Row extends WithReasons>(
  meta: Meta,
  absent?: (field: keyof Row & string, row: Row) => boolean,
): Columns<Row> {
  const common = (key: keyof Row & string, title: string, width: number): Column<Row> => ({
    key,
    title,
    width,
    value: (row) => row[key] as Cell,
    reason: (row) => reasonOf(row, meta, key),
    ...(absent === undefined ? {} : { absent: (row) => absent(key, row) }),
  });
  return {
    said: (key, title, width, show) => ({
      ...common(key, title, width),
      ...(show === undefined ? {} : { show: (row) => show(row[key] as string, row) }),
    }),
    figure: (key, title, width, show = (value) => number(value), help) => ({
      ...common(key, title, width),
      numeric: true,
      show: (row) => show(row[key] as number, row),
      ...(help === undefined ? {} : { help }),
    }),
  };
}
