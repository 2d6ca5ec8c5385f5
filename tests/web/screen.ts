// What is on the screen, as text, and whether that is what a value says.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";

export type Cells = Record<string, string>;

export interface Screen {
  readonly heading: string;
  readonly loading: boolean;
  readonly text: string;
  readonly tables: Record<string, Cells[]>; // by their labels; a cell by the title of its column
  readonly facts: Cells[]; // of each list of names and values
  readonly parts: Record<string, Cells>; // of each bar, by its title
  readonly tops: Record<string, string[]>; // by the heading
  readonly charts: string[];
  readonly items: Record<string, string[]>; // of each list of links, by its heading
}

// All of it: what goes by height is made as high as it has to be.
export async function read(page: Page): Promise<Screen> {
  return page.evaluate(() => {
    const main = document.querySelector("main") ?? document.body;
    const all = (from: Element, what: string) => [...from.querySelectorAll(what)];
    const text = (element: Element | null | undefined) => {
      if (!element) return "";
      const copy = element.cloneNode(true) as Element;
      for (const sign of copy.querySelectorAll(".sign, [role=columnheader] [aria-hidden]")) sign.remove();
      return (copy.textContent ?? "").replace(/[▲▼]/g, "").replace(/\s+/g, " ").trim();
    };
    const row = (titles: string[], cells: Element[]) =>
      Object.fromEntries(cells.map((cell, i) => [titles[i] ?? "", text(cell)]));
    const tables: Record<string, Record<string, string>[]> = {};
    for (const table of all(main, "[role=table]")) {
      const titles = all(table, "[role=columnheader]").map(text);
      tables[table.getAttribute("aria-label") ?? ""] = all(table, "[role=row]")
        .map((one) => all(one, "[role=rowheader], [role=cell]"))
        .filter((cells) => cells.length > 0)
        .map((cells) => row(titles, cells));
    }
    for (const table of all(main, "table")) {
      const titles = all(table, "thead th").map(text);
      const label = table.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
      tables[label] = all(table, "tbody tr").map((one) => row(titles, all(one, "th, td")));
    }
    const named = (list: Element, name: string, value: string) =>
      Object.fromEntries(all(list, name).map((one) => [text(one), text(one.parentElement?.querySelector(value))]));
    const heading = (element: Element) => text(element.closest("section, div:has(> h2), div:has(> h3)")?.querySelector("h2, h3"));
    return {
      heading: text(main.querySelector("h1")),
      loading: main.querySelector(".loading") !== null,
      text: (main as HTMLElement).innerText.replace(/\s+/g, " "),
      tables,
      facts: [...all(main, "dl").map((list) => named(list, "dt", "dd")), named(main, ".values th[scope=row]", "td")],
      parts: Object.fromEntries(
        all(main, "figure.stack").map((stack) => [
          stack.querySelector("svg")?.getAttribute("aria-label") ?? "",
          Object.fromEntries(
            all(stack, ".stack-label").map((label) => {
              const value = text(label.querySelector("b"));
              return [text(label).slice(0, -value.length).trim(), value];
            }),
          ),
        ]),
      ),
      tops: Object.fromEntries(all(main, "ol.top").map((list) => [heading(list), all(list, ".meter-text").map(text)])),
      charts: all(main, "figure.chart").map((chart) => chart.getAttribute("aria-label") ?? ""),
      items: Object.fromEntries(all(main, ".api-list ul").map((list) => [heading(list), all(list, "code").map(text)])),
    };
  });
}

const FACTORS: Record<string, number> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  min: 60,
  h: 3600,
  d: 86_400,
};

export type Value = string | number | null | undefined;

// Numbers are equal to the last digit that is shown; null is never a number.
export function says(shown: string | undefined, value: Value): boolean {
  if (shown === undefined || value === undefined) return false;
  if (value === null) return shown === "–";
  if (typeof value === "string") return shown === value;
  const match = /^(?:× )?(-?\d+(?:\.(\d+))?)(?:\s*([A-Za-z%°/]+))?/.exec(shown);
  if (match === null) return false;
  const [, number, digits = "", unit = ""] = match;
  const factor = FACTORS[unit.replace("/s", "")] ?? 1;
  const off = value / factor - Number(number);
  // Durations without a fraction are rounded down.
  const down = digits === "" && /^(s|min|h|d)$/.test(unit) && off >= 0 && off < 1;
  return down || Math.abs(off) <= 0.5 * 10 ** -digits.length + 1e-9;
}

export interface Claim {
  readonly what: string;
  readonly shown: string | undefined;
  readonly value: Value;
}

export function claims(where: string, shown: Cells | undefined, values: Record<string, Value>): Claim[] {
  return Object.entries(values).map(([name, value]) => ({ what: `${where}: ${name}`, shown: shown?.[name], value }));
}

// One claim for each column of each row, and one that there are no other rows. `key`: the columns
// that tell which row it is.
export function rowClaims<Row>(
  where: string,
  shown: readonly Cells[] | undefined,
  rows: readonly Row[],
  key: readonly string[],
  values: (row: Row) => Record<string, Value>,
): Claim[] {
  const nameOf = (cells: Record<string, Value>) => key.map((column) => cells[column] ?? "–").join(" / ");
  const found = new Map((shown ?? []).map((cells) => [nameOf(cells), cells]));
  return [
    { what: `${where}: rows`, shown: String(shown?.length), value: rows.length },
    ...rows.flatMap((row) => {
      const name = nameOf(values(row));
      return claims(`${where} of ${name}`, found.get(name), values(row));
    }),
  ];
}

const LIMIT = 60_000;

// What comes to be within a while; what went wrong last is told.
export async function eventually(check: () => Promise<void>, limit = LIMIT): Promise<void> {
  const end = Date.now() + limit;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function hold(page: Page, of: (screen: Screen) => readonly Claim[]): Promise<void> {
  await eventually(async () => {
    const made = of(await read(page));
    const wrong = made.filter(({ shown, value }) => !says(shown, value));
    assert.deepEqual(
      wrong.map(({ what, shown, value }) => `${what}: "${shown}" is shown, the API has ${value}`),
      [],
    );
    assert.ok(made.length > 0, "something is claimed");
  });
}
