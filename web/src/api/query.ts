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

// Asks again `every` milliseconds after an answer; 0: once. Not while the page is hidden or paused.
// `path` null: nothing is asked. `quiet`: a failure is told by whoever asks, not above every view.
export function useAsked<T>(
  path: string | null,
  params: Params = {},
  every = 5000,
  quiet = false,
): Asked<T> {
  const key = path === null ? "" : path + "?" + JSON.stringify(params);
  const [state, setState] = useState<{ key: string; answer?: Answer<T>; error?: ApiError }>({
    key,
  });
  const kick = useRef<() => void>(() => undefined);
  const stopped = paused.value;
  const shown = token.value;

  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let under_way = false;
    let failed = false;
    const run = async () => {
      if (under_way) return;
      under_way = true;
      clearTimeout(timer);
      try {
        const answer = await get<T>(path, params, abort.signal, quiet);
        failed = false;
        if (!abort.signal.aborted) setState({ key, answer });
      } catch (error) {
        if (abort.signal.aborted || !(error instanceof ApiError)) return;
        failed = true;
        // What was there stays, and is old: the banner says so.
        setState((last) =>
          last.key === key && last.answer ? { key, answer: last.answer, error } : { key, error },
        );
      } finally {
        under_way = false;
        // What is seldom asked for is not left failed for as long.
        const next = failed ? Math.min(every, SOON) : every;
        if (!abort.signal.aborted && every > 0 && !paused.value) timer = setTimeout(tick, next);
      }
    };
    const tick = () => {
      if (!document.hidden) void run();
    };
    const seen = () => {
      if (!document.hidden && every > 0 && !paused.value) void run();
    };
    kick.current = () => void run();
    document.addEventListener("visibilitychange", seen);
    // What is shown while it is paused stays as it is.
    if (!stopped || state.key !== key || state.answer === undefined) void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
    // `key` says path and params.
  }, [key, every, stopped, shown]);

  const mine = state.key === key;
  return {
    data: mine ? state.answer?.data : undefined,
    meta: (mine && state.answer?.meta) || NONE,
    warnings: (mine && state.answer?.warnings) || NO_WARNINGS,
    error: mine ? state.error : undefined,
    waiting: path !== null && !(mine && (state.answer || state.error)),
    again: () => kick.current(),
  };
}
