// One request for all parts of the page that ask for the same, and its answer for as long as it is
// fresh: windows cost Prometheus more than they change.
import type { Answer } from "./client.ts";

export const FRESH = 60_000;

type Ask = (signal: AbortSignal) => Promise<Answer<unknown>>;

interface Entry {
  readonly promise: Promise<Answer<unknown>>;
  readonly abort: AbortController;
  waiting: number; // who would be glad of it
  answer: Answer<unknown> | null; // null: it is under way
  at: number; // when it came
}

const entries = new Map<string, Entry>();

function isFresh(entry: Entry): boolean {
  return entry.answer !== null && Date.now() - entry.at < FRESH;
}

// What is there of this URL already, and how old it is.
export function known(url: string): { answer: Answer<unknown>; age: number } | null {
  const entry = entries.get(url);
  if (entry === undefined || entry.answer === null || !isFresh(entry)) return null;
  return { answer: entry.answer, age: Date.now() - entry.at };
}

function forget(url: string, entry: Entry): void {
  if (entries.get(url) === entry) entries.delete(url);
}

function begin(url: string, ask: Ask): Entry {
  for (const [key, old] of entries) if (old.answer !== null && !isFresh(old)) entries.delete(key);
  const abort = new AbortController();
  const entry: Entry = { promise: ask(abort.signal), abort, waiting: 0, answer: null, at: 0 };
  entries.set(url, entry);
  entry.promise.then(
    (answer) => {
      entry.answer = answer;
      entry.at = Date.now();
    },
    () => forget(url, entry), // what has failed is asked anew
  );
  return entry;
}

// Nobody's leaving takes the answer away from others; the last one's ends the request.
function join(url: string, entry: Entry, signal: AbortSignal): Promise<Answer<unknown>> {
  entry.waiting += 1;
  return new Promise((resolve, reject) => {
    const leave = () => {
      entry.waiting -= 1;
      reject(signal.reason as Error);
      if (entry.waiting > 0 || entry.answer !== null) return;
      forget(url, entry);
      entry.abort.abort();
    };
    signal.addEventListener("abort", leave, { once: true });
    entry.promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", leave);
    });
  });
}

// `anew`: what is there is not good enough.
export function askShared(
  url: string,
  ask: Ask,
  signal: AbortSignal,
  anew = false,
): Promise<Answer<unknown>> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  const found = entries.get(url);
  const usable = found !== undefined && (found.answer === null || (isFresh(found) && !anew));
  return join(url, usable ? found : begin(url, ask), signal);
}
