// The events of a window: slice by slice into the past, then what is new each minute.
import { useEffect, useState } from "preact/hooks";
import { ApiError, ask, type Meta, type Params, refusalOf, type Schemas } from "../api/client.ts";
import { heard } from "../state/news.ts";
import { paused, token } from "../state/prefs.ts";
import { range, rangeMs, windowParams } from "../state/range.ts";
import { FIRST_SLICE, joinSlices, nextLength, remedy, type Slice } from "./slices.ts";

export type Event = Schemas["GpuEvent"];

export interface Events {
  readonly events: readonly Event[];
  readonly warnings: readonly string[];
  readonly window: Slice;
  readonly back: number | null; // how far was looked; null: nowhere yet
  readonly done: boolean;
  readonly error: ApiError | undefined;
}

const EVERY = 60_000;
const LATER = 20_000;
// What a scrape brings may come this much after its time; what came after a slice would be in none.
const LATE = 10_000;

async function slice(params: Params, of: Slice, signal: AbortSignal) {
  const iso = (ms: number) => new Date(ms).toISOString();
  const response = await ask(
    "api/v1/gpu/events",
    { ...params, start: iso(of.from), end: iso(of.to) },
    signal,
  );
  if (!response.ok) throw await refusalOf(response);
  const body = (await response.json()) as { data: Event[]; meta?: Meta; warnings?: string[] };
  if (body.meta) heard(body.meta, null, "prometheus", "api/v1/gpu/events ");
  return { events: body.data, warnings: body.warnings ?? [] };
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type Show = (change: (last: Events) => Events) => void;

const said = (last: Events, more: readonly string[]) => [...new Set([...last.warnings, ...more])];

// From the end of the window to its begin. Throws what neither a shorter slice nor time helps against.
async function lookBack(params: Params, window: Slice, show: Show, signal: AbortSignal) {
  if (Number.isNaN(window.to - window.from)) {
    // What is wrong with it the server says best.
    const response = await ask("api/v1/gpu/events", { ...params, ...windowParams() }, signal);
    throw await refusalOf(response);
  }
  let to = window.to;
  let length = FIRST_SLICE;
  while (to > window.from && !signal.aborted) {
    const from = Math.max(window.from, to - length);
    const began = Date.now();
    try {
      const got = await slice(params, { from, to }, signal);
      length = nextLength(length, Date.now() - began, false);
      to = from;
      show((last) => ({
        ...last,
        events: joinSlices(got.events, last.events),
        warnings: said(last, got.warnings),
        back: from,
        error: undefined,
      }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const what = remedy(error.status, error.code, length);
      if (what === "none") throw error;
      length = nextLength(Math.min(length, to - from), 0, true);
      if (what === "shorter") continue;
      heard(null, error, "prometheus", "api/v1/gpu/events ");
      show((last) => ({ ...last, error }));
      await wait(LATER, signal);
    }
  }
}

// What happened since; the window's begin stays where it was.
async function lookOn(params: Params, since: number, show: Show, signal: AbortSignal) {
  const to = Date.now() - LATE;
  const got = await slice(params, { from: since, to }, signal);
  show((last) => ({
    ...last,
    events: joinSlices(last.events, got.events),
    warnings: said(last, got.warnings),
    window: { ...last.window, to },
  }));
  return to;
}

function nothing(window: Slice): Events {
  return { events: [], warnings: [], window, back: null, done: false, error: undefined };
}

export function useEvents(params: Params): Events & { again: () => void } {
  const of = range.value;
  const key = JSON.stringify([params, of]);
  const [state, setState] = useState<{ key: string; of: Events }>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    const window = rangeMs(of, Date.now() - LATE);
    const show: Show = (change) => {
      if (abort.signal.aborted) return;
      setState((last) => ({ key, of: change(last?.key === key ? last.of : nothing(window)) }));
    };
    let timer: ReturnType<typeof setInterval> | undefined;
    show(() => nothing(window));
    const failed = (error: unknown) => {
      if (abort.signal.aborted || !(error instanceof ApiError)) return;
      heard(null, error, "prometheus", "api/v1/gpu/events ");
      show((last) => ({ ...last, error }));
    };
    lookBack(params, window, show, abort.signal).then(() => {
      show((last) => ({ ...last, done: true, error: undefined }));
      if (abort.signal.aborted || of.end !== null || of.at !== null) return;
      let since = window.to;
      timer = setInterval(() => {
        if (document.hidden || paused.value) return;
        lookOn(params, since, show, abort.signal).then((to) => {
          since = to;
          show((last) => ({ ...last, error: undefined }));
        }, failed);
      }, EVERY);
    }, failed);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
    // `key` says params and range.
  }, [key, turn, token.value]);
  const mine = state?.key === key ? state.of : nothing(rangeMs(of, Date.now() - LATE));
  return { ...mine, again: () => setTurn((n) => n + 1) };
}
