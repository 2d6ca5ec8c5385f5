// What stands before what. Equal rows stay in the order they came in.
export type Cell = string | number | boolean | null | undefined;

const collator = new Intl.Collator(undefined, { numeric: true });

// Unknown values come last whichever way it is sorted.
export function compare(a: Cell, b: Cell, down: boolean): number {
  const noA = a === null || a === undefined;
  const noB = b === null || b === undefined;
  if (noA || noB) return noA === noB ? 0 : noA ? 1 : -1;
  const order =
    typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  return down ? -order : order;
}

// "-utilization": the field, and that the largest comes first.
export function sortOf(sort: string | null): { by: string; down: boolean } | null {
  if (sort === null || sort === "" || sort === "-") return null;
  return { by: sort.replace(/^-/, ""), down: sort.startsWith("-") };
}

// Names are many times the same: each is looked up once, then they are compared as numbers.
function ranksOf(cells: readonly Cell[]): Float64Array | null {
  const texts = new Set<string>();
  for (const cell of cells) {
    if (typeof cell === "string") texts.add(cell);
    else if (cell !== null && cell !== undefined) return null;
  }
  const ranks = new Map([...texts].sort(collator.compare).map((one, i) => [one, i]));
  return Float64Array.from(cells, (cell) =>
    typeof cell === "string" ? (ranks.get(cell) ?? NaN) : NaN,
  );
}

function numbersOf(cells: readonly Cell[]): Float64Array | null {
  for (const cell of cells)
    if (typeof cell !== "number" && cell !== null && cell !== undefined) return null;
  return Float64Array.from(cells, (cell) => (typeof cell === "number" ? cell : NaN));
}

// The rows' numbers in the order of `cells`.
export function orderOf(cells: readonly Cell[], down: boolean): Uint32Array {
  const order = Uint32Array.from(cells, (_, i) => i);
  const keys = numbersOf(cells) ?? ranksOf(cells);
  if (keys === null) return order.sort((a, b) => compare(cells[a], cells[b], down) || a - b);
  const sign = down ? -1 : 1;
  return order.sort((a, b) => {
    const x = keys[a] ?? NaN;
    const y = keys[b] ?? NaN;
    if (x === y) return a - b;
    if (Number.isNaN(x)) return Number.isNaN(y) ? a - b : 1;
    return Number.isNaN(y) ? -1 : sign * (x - y);
  });
}
