// An answer that is kept fresh while somebody looks at it.
import { useEffect, useRef, useState } from "preact/hooks";
import { paused, token } from "../state/prefs.ts";
import { type Answer, type ApiError, get, type Meta, type Params, tell, urlOf } from "./client.ts";
import { Round } from "./round.ts";
import { askShared, FRESH, known } from "./shared.ts";

export interface Asked<T> {
  readonly data: T | undefined; // of the last answer that was none of an error
  readonly meta: Meta;
  readonly warnings: readonly string[];
  readonly error: ApiError | undefined; // of the last one
  readonly waiting: boolean; // for the first one
  readonly again: () => void;
}

const NONE: Meta = {};
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

// By what the parts of the page share it; null: it is asked for so often that they need not.
function sharedUrl(path: string | null, params: Params, every: number): string | null {
  if (path === null || every < FRESH) return null;
  const url = new URL(urlOf(path, params));
  url.searchParams.sort();
  return `${url.href}\n${token.value ?? ""}`;
}

// What another part of the page was told a moment ago need not be waited for.
function first<T>(key: string, url: string | null): Last<T> {
  const found = url === null ? null : known(url);
  return found === null ? { key } : { key, answer: found.answer as Answer<T> };
}

// `quiet`: how it went is told by whoever asks. What had come before says nothing new.
async function ask<T>(
  of: { path: string; params: Params; url: string | null; quiet: boolean },
  signal: AbortSignal,
  anew: boolean,
): Promise<Answer<T>> {
  const { path, params, url, quiet } = of;
  if (url === null) return get<T>(path, params, signal, quiet);
  const there = anew ? null : known(url);
  if (there !== null) return there.answer as Answer<T>;
  const shared = askShared(url, (end) => get(path, params, end, true), signal, anew);
  const answer = await (quiet ? shared : tell(path, params, shared));
  return answer as Answer<T>;
}

function resting(): "paused" | "hidden" | null {
  if (paused.value) return "paused";
  return document.hidden ? "hidden" : null;
}

// Asks again `every` milliseconds after an answer; 0: once. Not while the page is hidden or paused.
// What is asked for once a minute or less is asked once for the whole page. `path` null: nothing
// is asked. `quiet`: a failure is told by whoever asks, not above every view.
export function useAsked<T>(
  path: string | null,
  params: Params = {},
  every = 5000,
  quiet = false,
): Asked<T> {
  const key = path === null ? "" : path + "?" + JSON.stringify(params);
  const url = sharedUrl(path, params, every);
  const [state, setState] = useState<Last<T>>(() => first(key, url));
  const round = useRef<Round<T> | null>(null);

  useEffect(() => {
    if (path === null) return undefined;
    const mine = new Round<T>({
      ask: (signal, anew) => ask({ path, params, url, quiet }, signal, anew),
      answered: (answer) => setState({ key, answer }),
      failed: (error) => setState((last) => failed(last, key, error)),
      every,
      still: "at" in params,
      age: () => (url === null ? 0 : (known(url)?.age ?? 0)),
      resting,
    });
    round.current = mine;
    document.addEventListener("visibilitychange", mine.tick);
    // What is shown while it is paused stays as it is.
    if (!paused.value || state.key !== key || state.answer === undefined) void mine.run();
    return () => {
      mine.stop();
      document.removeEventListener("visibilitychange", mine.tick);
    };
    // `key` says path and params.
  }, [key, every, paused.value, token.value]);

  // What is there of another question is none of this one's.
  const { answer, error } = state.key === key ? state : first<T>(key, url);
  return {
    data: answer?.data,
    meta: answer?.meta ?? NONE,
    warnings: answer?.warnings ?? NO_WARNINGS,
    error,
    waiting: path !== null && !answer && !error,
    again: () => void round.current?.run(true),
  };
}
