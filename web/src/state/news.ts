// How fresh what is shown is, and what is wrong: told by each answer, shown above every view.
import { computed, signal } from "@preact/signals";
import type { ApiError, Meta } from "../api/client.ts";
import { place } from "./place.ts";

export interface News {
  readonly asOf: number | null; // of the newest data, Unix milliseconds
  readonly heardAt: number | null; // when an answer came
  readonly stale: boolean;
  readonly partial: boolean;
  readonly problem: ApiError | null; // of the last answer; not of what was asked wrongly
}

const NOTHING: News = { asOf: null, heardAt: null, stale: false, partial: false, problem: null };

// A HakuRiver host may be away while Prometheus is not: what is told is of whom the view shows.
export type Source = "prometheus" | "hakuriver";
const told = { prometheus: signal<News>(NOTHING), hakuriver: signal<News>(NOTHING) };
export const looked = signal<Source>("prometheus");
export const news = computed(() => told[looked.value].value);

// Goes on while the page is looked at; ages are told by it.
export const now = signal(Date.now());

// What was asked here and answered in part, and when: another answer that is whole does not mend it.
const partly = new Map<string, number>();
const PARTLY = 120_000; // what is asked seldom is asked each minute

function isPartial(what: string, partial: boolean): boolean {
  const here = place.value.path.join("/") + "\n";
  if (partial) partly.set(here + what, Date.now());
  else partly.delete(here + what);
  for (const [key, at] of partly)
    if (!key.startsWith(here) || Date.now() - at > PARTLY) partly.delete(key);
  return partly.size > 0;
}

// `what` was asked.
export function heard(
  meta: Meta | null,
  problem: ApiError | null,
  source: Source = "prometheus",
  what = "",
): void {
  const mine = told[source];
  const before = mine.value;
  if (problem !== null) {
    // A word that was misspelt says nothing of the data.
    const ours = problem.status >= 400 && problem.status < 500;
    if (!ours) mine.value = { ...before, problem };
    return;
  }
  if (meta === null) return;
  const asOf = meta.as_of === undefined ? NaN : Date.parse(meta.as_of);
  // A window of the past or an instant of it is not how fresh the data is.
  const past = Number.isNaN(asOf) || (before.asOf !== null && asOf < before.asOf);
  mine.value = {
    asOf: past ? before.asOf : asOf,
    heardAt: Date.now(),
    stale: meta.stale ?? before.stale,
    partial: meta.partial === undefined ? before.partial : isPartial(what, meta.partial),
    problem: null,
  };
}

export const age = computed<number | null>(() => {
  const { asOf } = news.value;
  return asOf === null ? null : Math.max(0, Math.round((now.value - asOf) / 1000));
});

export function followTime(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
}
