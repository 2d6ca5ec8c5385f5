// The text of a filter box: `node=a* model="NVIDIA A100*" min_utilization=80 train`. What is
// name=value is the API's parameter of that name, anything else a word to look for.
export interface FilterNames {
  readonly texts: readonly string[]; // exact, or with *
  readonly numbers: readonly string[]; // fields that have min_ and max_
}

export type FilterProblem =
  | { readonly kind: "name"; readonly name: string; readonly near: string | undefined }
  | { readonly kind: "number"; readonly name: string; readonly value: string }
  | { readonly kind: "empty"; readonly name: string };

export interface Filters {
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly words: readonly string[];
  readonly problems: readonly FilterProblem[];
}

export function filterNames(names: FilterNames): string[] {
  return [...names.texts, ...names.numbers.flatMap((name) => ["min_" + name, "max_" + name])];
}

interface Token {
  readonly text: string; // without quotes
  readonly start: number;
  readonly end: number;
  readonly equals: number; // in `text`: where the sign after the name begins; -1: none
  readonly sign: string;
}

// Quotes hold a value with blanks together; a backslash in them stands before what is meant.
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let i = 0;
  while (i < text.length) {
    while (/\s/.test(text.charAt(i))) i += 1;
    if (i >= text.length) break;
    const start = i;
    let plain = "";
    let equals = -1;
    let sign = "";
    let quoted = false;
    for (; i < text.length && (quoted || !/\s/.test(text.charAt(i))); i += 1) {
      const one = text.charAt(i);
      if (one === '"') quoted = !quoted;
      else if (quoted && one === "\\" && i + 1 < text.length) plain += text.charAt((i += 1));
      else {
        const found = quoted || equals >= 0 ? null : /^(>=|<=|=)/.exec(text.slice(i));
        if (found?.[1] !== undefined && plain !== "") {
          equals = plain.length;
          sign = found[1];
          i += sign.length - 1;
          plain += sign;
        } else plain += one;
      }
    }
    tokens.push({ text: plain, start, end: i, equals, sign });
  }
  return tokens;
}

// `utilization>=80` is min_utilization=80.
function nameOf(token: Token): string {
  const name = token.text.slice(0, token.equals);
  return token.sign === "=" ? name : (token.sign === ">=" ? "min_" : "max_") + name;
}

export function parseFilters(text: string, names: FilterNames): Filters {
  const all = filterNames(names);
  const texts = new Set(names.texts);
  const params: Record<string, string[]> = {};
  const words: string[] = [];
  const problems: FilterProblem[] = [];
  for (const token of tokensOf(text)) {
    if (token.equals < 0) {
      if (token.text !== "") words.push(token.text);
      continue;
    }
    const name = nameOf(token);
    const value = token.text.slice(token.equals + token.sign.length);
    if (!all.includes(name)) problems.push({ kind: "name", name, near: nearest(name, all) });
    else if (value === "") problems.push({ kind: "empty", name });
    else if (texts.has(name)) (params[name] ??= []).push(value);
    else if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) params[name] = [value];
    else problems.push({ kind: "number", name, value });
  }
  return { params, words, problems };
}

function quoted(value: string): string {
  return /[\s"\\=<>]/.test(value) || value === ""
    ? `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
    : value;
}

export function formatFilters(
  params: Readonly<Record<string, readonly string[]>>,
  words: readonly string[],
): string {
  const parts = Object.entries(params).flatMap(([name, values]) =>
    values.map((value) => `${name}=${quoted(value)}`),
  );
  return [...parts, ...words.map(quoted)].join(" ");
}

// The filters that a URL names.
export function filtersOf(
  url: URLSearchParams,
  names: FilterNames,
): { params: Record<string, string[]>; words: string[] } {
  const params: Record<string, string[]> = {};
  for (const name of filterNames(names)) {
    const values = url.getAll(name).filter((value) => value !== "");
    if (values.length > 0) params[name] = values;
  }
  const words = tokensOf(url.get("q") ?? "").map((token) => token.text);
  return { params, words };
}

// What could be meant by the name that is being typed at `caret`, and where it stands.
export function completions(
  text: string,
  caret: number,
  names: FilterNames,
): { start: number; end: number; names: string[] } | null {
  const token = tokensOf(text).find((one) => one.start <= caret && caret <= one.end);
  if (token === undefined) {
    return { start: caret, end: caret, names: [...names.texts] };
  }
  if (token.equals >= 0 || token.text.includes("*")) return null;
  const typed = token.text.toLowerCase();
  const all = filterNames(names);
  const begin = all.filter((name) => name.startsWith(typed));
  const within = typed.length < 3 ? [] : all.filter((name) => name.indexOf(typed) > 0);
  return { start: token.start, end: token.end, names: [...begin, ...within] };
}

// How many letters stand between two words, or a number that is too many.
export function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = row;
  }
  return before[b.length] ?? 0;
}

export function nearest(name: string, all: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const one of all) {
    const far = Math.min(
      distance(name, one),
      // "temperature=80" forgot which bound.
      one === "min_" + name ? 1 : 99,
    );
    if (far < least) {
      least = far;
      best = one;
    }
  }
  return best;
}
