// A long window of events is asked for in slices, the newest first: windows that meet lose nothing
// in between and tell nothing twice. What lasts over a border is told on both sides of it.
export interface Slice {
  readonly from: number; // Unix milliseconds
  readonly to: number;
}

export interface Happened {
  readonly time?: string | null;
  readonly open_before?: boolean | null;
  readonly end?: string | null;
  readonly duration_seconds?: number | null;
  readonly type?: string | null;
  readonly severity?: string | null;
  readonly node_name?: string | null;
  readonly gpu_id?: string | null;
  readonly uuid?: string | null;
  readonly mig_uuid?: string | null;
  readonly target?: string | null;
  readonly errors?: number | null;
  readonly temperature_max?: number | null;
  readonly throttle_reasons?: readonly string[];
}

const HOUR = 3_600_000;
export const FIRST_SLICE = HOUR;
export const LEAST_SLICE = HOUR / 12;
const MOST_SLICE = 48 * HOUR;
const QUICK = 2500; // milliseconds of an answer after which more is asked for at once

// How long the next slice is.
export function nextLength(length: number, took: number, failed: boolean): number {
  if (failed) return Math.max(LEAST_SLICE, length / 2);
  if (took < QUICK) return Math.min(MOST_SLICE, length * 2);
  return length;
}

const HELPED = [
  "overloaded",
  "upstream_error",
  "upstream_partial",
  "upstream_query_timeout",
  "upstream_rejected_query",
  "upstream_throttled",
  "upstream_timeout",
  "upstream_too_large",
];

// What to do about an error: a shorter slice may be answered, the same one later, or none ever.
export function remedy(status: number, code: string, length: number): "shorter" | "later" | "none" {
  if (length > LEAST_SLICE && HELPED.includes(code)) return "shorter";
  return status === 0 || status === 429 || status >= 500 ? "later" : "none";
}

// What it happened to, of which kind: the same on both sides of a border.
export function identity(event: Happened): string {
  const gpu = event.uuid ?? `${event.node_name ?? ""}/${event.gpu_id ?? ""}`;
  return [event.type, event.type === "exporter_down" ? event.target : gpu, event.mig_uuid].join(
    "\n",
  );
}

const SEVERITIES = ["critical", "warning", "info"];

function worse(a: string | null | undefined, b: string | null | undefined) {
  const at = (one: string | null | undefined) =>
    one == null || !SEVERITIES.includes(one) ? 3 : SEVERITIES.indexOf(one);
  return at(a) <= at(b) ? a : b;
}

function larger(a: number | null | undefined, b: number | null | undefined): number | null {
  if (a == null || b == null) return a ?? b ?? null;
  return Math.max(a, b);
}

// `older` began it, `newer` is the rest of it.
function joined<Event extends Happened>(older: Event, newer: Event): Event {
  const begin = Date.parse(older.time ?? "");
  const errors =
    older.errors == null || newer.errors == null
      ? (older.errors ?? newer.errors ?? null)
      : older.errors + newer.errors;
  const last = newer.end === null || newer.end === undefined ? null : Date.parse(newer.end);
  const lasted = Date.parse(newer.time ?? "") - begin + 1000 * (newer.duration_seconds ?? 0);
  return {
    ...older,
    end: newer.end ?? null,
    duration_seconds: (last === null ? lasted : last - begin) / 1000,
    severity: worse(older.severity, newer.severity) ?? null,
    errors,
    temperature_max: larger(older.temperature_max, newer.temperature_max),
    throttle_reasons: [
      ...new Set([...(older.throttle_reasons ?? []), ...(newer.throttle_reasons ?? [])]),
    ],
  };
}

// Both are newest first, and so is what is made of them.
export function joinSlices<Event extends Happened>(
  older: readonly Event[],
  newer: readonly Event[],
): Event[] {
  const result = [...older];
  const rest: Event[] = [];
  for (const event of newer) {
    const grew = event.type?.startsWith("ecc_") ?? false;
    const at = event.open_before
      ? result.findIndex(
          (one) => identity(one) === identity(event) && (grew || (one.end ?? null) === null),
        )
      : -1;
    const begun = result[at];
    if (begun === undefined) rest.push(event);
    else result[at] = joined(begun, event);
  }
  // Of the same time those of the newer slice come first, as they came.
  return [...rest, ...result].sort((a, b) => Date.parse(b.time ?? "") - Date.parse(a.time ?? ""));
}

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly counts: Record<string, number>; // by severity
  readonly sum: number;
}

// How many began in each part of the time.
export function binsOf(events: readonly Happened[], of: Slice, count: number): Bin[] {
  const width = (of.to - of.from) / count;
  if (!(width > 0)) return [];
  const bins = Array.from({ length: count }, (_, i) => ({
    from: of.from + i * width,
    to: of.from + (i + 1) * width,
    counts: {} as Record<string, number>,
    sum: 0,
  }));
  for (const event of events) {
    const time = Date.parse(event.time ?? "");
    const bin = bins[Math.min(count - 1, Math.floor((time - of.from) / width))];
    if (bin === undefined) continue;
    const severity = event.severity ?? "info";
    bin.counts[severity] = (bin.counts[severity] ?? 0) + 1;
    bin.sum += 1;
  }
  return bins;
}

export function countBy<Event>(events: readonly Event[], of: (event: Event) => string) {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(of(event), (counts.get(of(event)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
