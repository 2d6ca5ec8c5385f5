// How fresh what is shown is, and what is wrong: told by each answer, shown above every view.
import { computed, signal } from "@preact/signals";
import type { ApiError, Meta } from "../api/client.ts";
import { place } from "./place.ts";

export interface News {
  readonly asOf: number | null; // of the newest data, Unix milliseconds
  readonly heardAt: number | null; // when an answer came
  readonly stale: boolean;
  readonly staleAsOf: number | null; // of the oldest that is
  readonly why: string | null; // it is stale: a code of the API
  readonly partial: boolean;
  readonly problem: ApiError | null; // of the last answer; not of what was asked wrongly
}

const NOTHING: News = {
  asOf: null,
  heardAt: null,
  stale: false,
  staleAsOf: null,
  why: null,
  partial: false,
  problem: null,
};

// A HakuRiver host may be away while Prometheus is not: what is told is of whom the view shows.
export type Source = "prometheus" | "hakuriver";
const told = { prometheus: signal<News>(NOTHING), hakuriver: signal<News>(NOTHING) };
export const looked = signal<Source>("prometheus");
export const news = computed(() => told[looked.value].value);

// Goes on while the page is looked at; ages are told by it.
export const now = signal(Date.now());

// What answers said that are still looked at: another one that is whole, or new, does not mend it.
interface Said {
  readonly source: Source;
  readonly here: string; // the view that asked
  readonly at: number;
  readonly partial: boolean;
  readonly staleAsOf: number | null; // null: it is not stale
  readonly why: string | null;
}
const said = new Map<string, Said>();
const KEPT = 120_000; // what is asked seldom is asked each minute

function ofAll(source: Source): Pick<News, "partial" | "stale" | "staleAsOf" | "why"> {
  const mine: Said[] = [];
  for (const [key, one] of said) {
    const left = one.here !== place.value.path.join("/") || Date.now() - one.at > KEPT;
    if (left) said.delete(key);
    else if (one.source === source) mine.push(one);
  }
  const old = mine.filter((one) => one.staleAsOf !== null);
  return {
    partial: mine.some((one) => one.partial),
    stale: old.length > 0,
    staleAsOf: old.length > 0 ? Math.min(...old.map((one) => one.staleAsOf ?? 0)) : null,
    why: old.find((one) => one.why !== null)?.why ?? null,
  };
}

// `what`: the route that was asked, and what else tells it from another question of the view.
// `why`: the code of what made it stale.
export function heard(
  meta: Meta | null,
  problem: ApiError | null,
  source: Source = "prometheus",
  what = "",
  why: string | null = null,
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
  if (meta.partial !== undefined || meta.stale !== undefined) {
    said.set(`${source} ${what}`, {
      source,
      here: place.value.path.join("/"),
      at: Date.now(),
      partial: meta.partial ?? false,
      staleAsOf: meta.stale ? (Number.isNaN(asOf) ? Date.now() : asOf) : null,
      why: meta.stale ? why : null,
    });
  }
  mine.value = {
    asOf: past ? before.asOf : asOf,
    heardAt: Date.now(),
    ...ofAll(source),
    problem: null,
  };
}

function ageOf(asOf: number | null): number | null {
  return asOf === null ? null : Math.max(0, Math.round((now.value - asOf) / 1000));
}
export const age = computed(() => ageOf(news.value.asOf));
export const staleAge = computed(() => ageOf(news.value.staleAsOf));

export function followTime(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
}
