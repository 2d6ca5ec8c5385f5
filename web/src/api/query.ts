// An answer that is kept fresh while somebody looks at it.
import { useEffect, useRef, useState } from "preact/hooks";
import { paused, token } from "../state/prefs.ts";
import { type Answer, ApiError, get, type Meta, type Params } from "./client.ts";

export interface Asked<T> {
  readonly data: T | undefined; // of the last answer that was none of an error
  readonly meta: Meta;
  readonly warnings: readonly string[];
  readonly error: ApiError | undefined; // of the last one
  readonly waiting: boolean; // for the first one
  readonly again: () => void;
}

const NONE: Meta = {};
const SOON = 10_000;
const NO_WARNINGS: readonly string[] = [];

interface Last<T> {
  readonly key: string; // of the question
  readonly answer?: Answer<T>;
  readonly error?: ApiError;
}

// What was there stays, and is old: the banner says so.
function failed<T>(last: Last<T>, key: string, error: ApiError): Last<T> {
  return last.key === key && last.answer ? { key, answer: last.answer, error } : { key, error };
}

// Asks again `every` milliseconds after an answer; 0: once. Not while the page is hidden or paused.
// `path` null: nothing is asked. `quiet`: a failure is told by whoever asks, not above every view.
export function useAsked<T>(
  path: string | null,
  params: Params = {},
  every = 5000,
  quiet = false,
): Asked<T> {
  const key = path === null ? "" : path + "?" + JSON.stringify(params);
  const [state, setState] = useState<Last<T>>({ key });
  const kick = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let under_way = false;
    let failing = false;
    let done = false;
    const goesOn = () => every > 0 && !done && !paused.value;
    const run = async () => {
      if (under_way) return;
      under_way = true;
      clearTimeout(timer);
      try {
        const answer = await get<T>(path, params, abort.signal, quiet);
        if (abort.signal.aborted) return;
        failing = false;
        setState({ key, answer });
        done = "at" in params; // the past stays as it was
      } catch (error) {
        if (abort.signal.aborted || !(error instanceof ApiError)) return;
        failing = true;
        setState((last) => failed(last, key, error));
      } finally {
        under_way = false;
        // What is seldom asked for is not left failed for as long.
        const next = failing ? Math.min(every, SOON) : every;
        if (!abort.signal.aborted && goesOn()) timer = setTimeout(tick, next);
      }
    };
    const tick = () => {
      if (!document.hidden && goesOn()) void run();
    };
    kick.current = () => void run();
    document.addEventListener("visibilitychange", tick);
    // What is shown while it is paused stays as it is.
    if (!paused.value || state.key !== key || state.answer === undefined) void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", tick);
    };
    // `key` says path and params.
  }, [key, every, paused.value, token.value]);

  // What is there of another question is none of this one's.
  const { answer, error } = state.key === key ? state : { answer: undefined, error: undefined };
  return {
    data: answer?.data,
    meta: answer?.meta ?? NONE,
    warnings: answer?.warnings ?? NO_WARNINGS,
    error,
    waiting: path !== null && !answer && !error,
    again: () => kick.current(),
  };
}
