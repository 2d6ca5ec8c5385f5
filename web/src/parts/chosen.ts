// The columns that the URL asks a table for.
import { param } from "../state/place.ts";

// Those that are none are left out; where none is left it is the usual ones.
export function chosenColumns(usual: readonly string[], all: readonly string[]): string[] {
  const text = param("columns");
  if (text === "all") return [...all];
  const asked = text?.split(",") ?? usual;
  const known = new Set(all);
  const chosen = [...new Set(asked)].filter((name) => known.has(name));
  return chosen.length > 0 ? chosen : usual.filter((name) => known.has(name));
}

// What the URL says of a choice; null: nothing, it is the usual one.
export function columnsParam(
  chosen: readonly string[],
  usual: readonly string[],
  all: readonly string[],
): string | null {
  if (chosen.length === 0 || chosen.join() === usual.join()) return null;
  return chosen.length === all.length ? "all" : chosen.join(",");
}

// In the order they were chosen in.
export function pick<Column extends { readonly key: string }>(
  columns: readonly Column[],
  chosen: readonly string[],
): Column[] {
  const known = new Map(columns.map((column) => [column.key, column]));
  return chosen.flatMap((key) => known.get(key) ?? []);
}
