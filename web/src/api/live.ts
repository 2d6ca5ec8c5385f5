// Rows of GPUs as the server streams them; where it cannot, asked for again and again.
import { useEffect, useState } from "preact/hooks";
import { heard } from "../state/news.ts";
import { paused, token } from "../state/prefs.ts";
import { text } from "../text/en.ts";
import {
  ApiError,
  ask,
  get,
  type GpuMetrics,
  type Meta,
  type NullReasons,
  type Params,
  refusalOf,
  staleCode,
} from "./client.ts";
import { sseReader, type ServerEvent } from "./sse.ts";

export type GpuRow = GpuMetrics & { readonly key?: string };

export interface LiveGpus {
  readonly rows: readonly GpuRow[] | undefined;
  readonly nullReasons: NullReasons;
  readonly by: "stream" | "polling" | "nothing";
  readonly stale: boolean;
  readonly error: ApiError | undefined;
}

const POLL_EVERY = 5000;
const SILENCE = 30_000; // the server sends a comment each 15 s
const STREAM_AGAIN = 2000;
const PAST_AGAIN = 10_000;
const TRIES = 3; // streams that break at once, before polling
const NOTHING: LiveGpus = {
  rows: undefined,
  nullReasons: {},
  by: "nothing",
  stale: false,
  error: undefined,
};

export interface Parcel extends Meta {
  readonly rows?: GpuRow[];
  readonly changed?: GpuRow[];
  readonly removed?: string[];
  readonly warnings?: readonly string[];
  readonly code?: string | null;
  readonly expired?: boolean;
}

// All rows that there are, by their keys, in the server's order. Those that have expired stay, and
// are old: that Prometheus is away does not say that there are none.
export class Rows {
  private rows: Map<string, GpuRow> | undefined;
  nullReasons: NullReasons = {};
  lastId: string | null = null;

  take(kind: string, parcel: Parcel): void {
    if (kind === "snapshot")
      this.rows = new Map((parcel.rows ?? []).map((row) => [row.key ?? "", row]));
    for (const row of parcel.changed ?? []) this.rows?.set(row.key ?? "", row);
    for (const key of parcel.removed ?? []) this.rows?.delete(key);
    if (parcel.null_reasons) this.nullReasons = parcel.null_reasons;
  }
  // Undefined: nobody has said which there are.
  list(): GpuRow[] | undefined {
    return this.rows && [...this.rows.values()];
  }
}

// What a parcel says is the matter.
function errorOf(parcel: Parcel): ApiError | undefined {
  if (!parcel.stale || !parcel.expired) return undefined;
  const code = parcel.code ?? "";
  return new ApiError(502, code, text.codes[code] ?? text.noReason);
}

// One stream until it ends. Throws what stands in its way.
async function follow(
  params: Params,
  rows: Rows,
  show: (parcel: Parcel) => void,
  abort: AbortSignal,
): Promise<void> {
  const quiet = new AbortController();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => quiet.abort(), SILENCE);
  };
  const end = AbortSignal.any([abort, quiet.signal]);
  try {
    alive();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (rows.lastId !== null) headers["Last-Event-ID"] = rows.lastId;
    const response = await ask("api/v1/gpu/stream", params, end, headers);
    if (!response.ok || response.body === null) throw await refusalOf(response);
    const take = sseReader((event: ServerEvent) => {
      if (event.event === "end" || event.event === "lag") return;
      rows.lastId = event.id ?? rows.lastId;
      const parcel = JSON.parse(event.data) as Parcel;
      rows.take(event.event, parcel);
      show(parcel);
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      take(value);
    }
  } catch (error) {
    if (quiet.signal.aborted) throw new ApiError(0, "silent", "the stream has gone silent");
    throw error;
  } finally {
    clearTimeout(silence);
  }
}

function wait(milliseconds: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    abort.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

// Whether all of it came.
export async function poll(
  params: Params,
  show: (live: LiveGpus) => void,
  abort: AbortSignal,
): Promise<boolean> {
  try {
    const answer = await get<GpuRow[]>("api/v1/gpu/metrics", params, abort);
    const nullReasons = answer.meta.null_reasons ?? {};
    show({
      rows: answer.data,
      nullReasons,
      by: "polling",
      stale: answer.meta.stale ?? false,
      error: undefined,
    });
    return answer.meta.partial !== true;
  } catch (error) {
    if (!abort.aborted && error instanceof ApiError) show({ ...NOTHING, stale: true, error });
    return false;
  }
}

// An instant of the past stays as it is once all of it has come.
export async function pollOnce(
  params: Params,
  show: (live: LiveGpus) => void,
  abort: AbortSignal,
): Promise<void> {
  while (!abort.aborted && !(await poll(params, show, abort))) await wait(PAST_AGAIN, abort);
}

// Follows the rows until `abort`; see useLiveGpus.
export async function keep(
  params: Params,
  show: (live: LiveGpus) => void,
  abort: AbortSignal,
): Promise<void> {
  const rows = new Rows();
  let broken = 0;
  while (!abort.aborted) {
    const began = Date.now();
    try {
      await follow(
        params,
        rows,
        (parcel) => {
          broken = 0;
          const error = errorOf(parcel);
          const why = parcel.code ?? staleCode(parcel.warnings ?? []);
          if (error !== undefined) heard(null, error, "prometheus", "api/v1/gpu/metrics ");
          else heard(parcel, null, "prometheus", "api/v1/gpu/metrics ", why);
          const stale = parcel.stale ?? false;
          show({
            rows: rows.list(),
            nullReasons: rows.nullReasons,
            by: "stream",
            stale,
            error,
          });
        },
        abort,
      );
    } catch (error) {
      if (abort.aborted) return;
      if (error instanceof ApiError && error.status !== 503)
        heard(null, error, "prometheus", "api/v1/gpu/metrics ");
    }
    // A browser that is told to come back does; one whose proxy holds streams back asks instead.
    if (Date.now() - began < SILENCE) broken += 1;
    if (broken >= TRIES) await poll(params, show, abort);
    await wait(broken >= TRIES ? POLL_EVERY : STREAM_AGAIN, abort);
  }
}

// `at`, an instant of the past, is asked for until all of it has come.
export function useLiveGpus(params: Params, at: string | null): LiveGpus {
  const [live, setLive] = useState<LiveGpus>(NOTHING);
  const stopped = paused.value;
  const shown = token.value;
  const key = JSON.stringify(params) + (at ?? "");
  useEffect(() => {
    const abort = new AbortController();
    if (at !== null) void pollOnce({ ...params, at }, setLive, abort.signal);
    else if (!stopped) void keep(params, setLive, abort.signal);
    return () => abort.abort();
    // `key` says params and at.
  }, [key, stopped, shown]);
  return live;
}
