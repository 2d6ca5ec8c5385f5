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
  readonly problem: ApiError | null; // of all that is asked; not of what was asked wrongly
  readonly some: ApiError | null; // of a question, while others are answered
}

const NOTHING: News = {
  asOf: null,
  heardAt: null,
  stale: false,
  staleAsOf: null,
  why: null,
  partial: false,
  problem: null,
  some: null,
};

// A HakuRiver host may be away while Prometheus is not: what is told is of whom the view shows.
export type Source = "prometheus" | "hakuriver";
const told = { prometheus: signal<News>(NOTHING), hakuriver: signal<News>(NOTHING) };
export const looked = signal<Source>("prometheus");
export const news = computed(() => told[looked.value].value);

// Goes on while the page is looked at; ages are told by it.
export const now = signal(Date.now());

// The view that asks now.
export const asking = (): string => place.value.path.join("/");

// What answers said that are still looked at: another one that is whole, or new, does not mend it.
interface Said {
  readonly source: Source;
  readonly here: string; // the view that asked
  readonly at: number;
  readonly partial: boolean;
  readonly staleAsOf: number | null; // null: it is not stale
  readonly why: string | null;
  readonly fresh: boolean; // it is new data
  readonly problem: ApiError | null;
}
const said = new Map<string, Said>();
const KEPT = 120_000; // what is asked seldom is asked each minute
const LATELY = 10_000; // most is asked twice in this time

// One question that took too long says nothing of the others; a server that is not there does.
function problemsOf(all: readonly Said[]): Pick<News, "problem" | "some"> {
  const newest = all.filter((one) => one.problem !== null).sort((a, b) => b.at - a.at)[0];
  if (newest === undefined) return { problem: null, some: null };
  const good = Math.max(...all.filter((one) => one.fresh).map((one) => one.at));
  const alone = newest.problem?.status !== 0 && newest.at - good < LATELY;
  return alone ? { problem: null, some: newest.problem } : { problem: newest.problem, some: null };
}

type OfAll = Omit<News, "asOf" | "heardAt">;

function ofAll(source: Source): OfAll {
  const mine: Said[] = [];
  for (const [key, one] of said) {
    const left = one.here !== asking() || Date.now() - one.at > KEPT;
    if (left) said.delete(key);
    else if (one.source === source) mine.push(one);
  }
  const old = mine.filter((one) => one.staleAsOf !== null);
  return {
    partial: mine.some((one) => one.partial),
    stale: old.length > 0,
    staleAsOf: old.length > 0 ? Math.min(...old.map((one) => one.staleAsOf ?? 0)) : null,
    why: old.find((one) => one.why !== null)?.why ?? null,
    ...problemsOf(mine),
  };
}

// `what`: the route that was asked, and what else tells it from another question of the view.
// `why`: the code of what made it stale. `here`: the view that asked; its answer may come when it
// is left, and would be mended by nobody.
export function heard(
  meta: Meta | null,
  problem: ApiError | null,
  source: Source = "prometheus",
  what = "",
  why: string | null = null,
  here = asking(),
): void {
  const mine = told[source];
  const before = mine.value;
  const note = (one: Omit<Said, "source" | "here" | "at">) =>
    said.set(`${source} ${what}`, {
      source,
      here,
      at: Date.now(),
      ...one,
    });
  if (problem !== null) {
    // A word that was misspelt says nothing of the data.
    if (problem.status >= 400 && problem.status < 500) return;
    note({ partial: false, staleAsOf: null, why: null, fresh: false, problem });
    mine.value = { ...before, ...ofAll(source) };
    return;
  }
  if (meta === null) return;
  const asOf = meta.as_of === undefined ? NaN : Date.parse(meta.as_of);
  // A window of the past or an instant of it is not how fresh the data is.
  const past = Number.isNaN(asOf) || (before.asOf !== null && asOf < before.asOf);
  note({
    partial: meta.partial ?? false,
    staleAsOf: meta.stale ? (Number.isNaN(asOf) ? Date.now() : asOf) : null,
    why: meta.stale ? why : null,
    fresh: !meta.stale && !Number.isNaN(asOf),
    problem: null,
  });
  mine.value = { asOf: past ? before.asOf : asOf, heardAt: Date.now(), ...ofAll(source) };
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
