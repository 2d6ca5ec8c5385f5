// Follows a fleet beside the page: reading, sorting and searching 20,000 rows takes longer than a
// frame may.
import { ApiError, get, type Params, type Schemas, setBase } from "../api/client.ts";
import { keep, type LiveGpus, poll, pollOnce } from "../api/live.ts";
import { news } from "../state/news.ts";
import { token, tokenWanted } from "../state/prefs.ts";
import { Fleet, healthKey } from "./store.ts";
import type { Follow, FromWorker, Look, Problem, ToWorker } from "./words.ts";

const TELL_EVERY = 250;
const HEALTH_EVERY = 10_000;
const LEVELS = ["healthy", "degraded", "critical"];

let fleet = new Fleet();
let followed: Follow | null = null;
let look: Look = { kind: "look", sort: null, words: [], first: 0, last: 0, map: null };
let abort = new AbortController();
let state = { stale: false, problem: null as Problem | null, any: false };
let levels: Map<string, number> | null = null;
let has = new Set<number>(); // rows that the page has
let due: ReturnType<typeof setTimeout> | undefined;
let toldAt = 0;

function post(message: FromWorker): void {
  postMessage(message);
}

function problemOf(error: ApiError | null | undefined): Problem | null {
  return error ? { status: error.status, code: error.code, message: error.message } : null;
}

function tellRows(): void {
  if (followed === null || !state.any) return;
  const sent = fleet.slice(look.first, look.last, has);
  has = new Set(sent.map((one) => one.id));
  const { stale, problem } = state;
  post({
    kind: "rows",
    id: followed.id,
    first: look.first,
    sent,
    state: {
      total: fleet.rows.length,
      count: fleet.filtered().length,
      nullReasons: fleet.nullReasons,
      stale,
      problem,
    },
  });
}

function tell(): void {
  clearTimeout(due);
  due = undefined;
  toldAt = performance.now();
  tellRows();
  if (look.map === null || followed === null || !state.any) return;
  if (look.map === "health" && levels === null) return; // it is on its way
  const of = look.map === "health" ? levels : null;
  post({ kind: "map", id: followed.id, map: fleet.map(look.map, of) });
}

// What changes by itself is told now and then, what somebody does at once.
function tellSoon(): void {
  const wait = Math.max(0, TELL_EVERY - (performance.now() - toldAt));
  due ??= setTimeout(tell, wait);
}

function take(live: LiveGpus): void {
  state = { ...state, stale: live.stale, problem: problemOf(live.error) };
  if (live.rows !== undefined) {
    fleet.take(live.rows, live.nullReasons);
    state.any = true;
  }
  tellSoon();
}

async function pollEach(params: Params, every: number, signal: AbortSignal): Promise<void> {
  if (every === 0) return pollOnce(params, take, signal);
  await poll(params, take, signal);
  if (!signal.aborted) setTimeout(() => void pollEach(params, every, signal), every);
}

async function followHealth(signal: AbortSignal): Promise<void> {
  const at = followed?.params["at"];
  const asked: Params = { fields: "node_name,gpu_id,mig_uuid,level" };
  if (at !== undefined) asked["at"] = at;
  try {
    const answer = await get<Schemas["GpuHealth"][]>("api/v1/gpu/health", asked, signal);
    const found = answer.data.map((row) => [healthKey(row), LEVELS.indexOf(row.level ?? "")]);
    levels = new Map((found as [string, number][]).filter(([, level]) => level >= 0));
    tellSoon();
  } catch (error) {
    if (!(error instanceof ApiError)) return;
    levels ??= new Map();
    tellSoon();
  }
  if (!signal.aborted) setTimeout(() => void askHealth(signal), HEALTH_EVERY);
}

let healthBy: AbortSignal | null = null;
function askHealth(signal: AbortSignal): void {
  if (signal.aborted) return;
  if (look.map !== "health") healthBy = null;
  else void followHealth((healthBy = signal));
}

function follow(wanted: Follow): void {
  abort.abort();
  abort = new AbortController();
  setBase(wanted.base);
  token.value = wanted.token;
  if (JSON.stringify(followed?.params) !== JSON.stringify(wanted.params)) {
    fleet = new Fleet();
    fleet.look(look.sort, look.words);
    has.clear();
    levels = null;
    state = { stale: false, problem: null, any: false };
  }
  followed = wanted;
  if (wanted.every === null) void keep(wanted.params, take, abort.signal);
  else void pollEach(wanted.params, wanted.every, abort.signal);
  askHealth(abort.signal);
}

onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "follow") follow(data);
  else if (data.kind === "stop") abort.abort();
  else if (data.kind === "csv") post({ kind: "csv", text: fleet.csv(data.columns) });
  else {
    look = data;
    fleet.look(look.sort, look.words);
    if (look.map === "health" && healthBy !== abort.signal) askHealth(abort.signal);
    tell();
  }
};

news.subscribe(({ asOf, stale, partial, problem, heardAt, why }) => {
  if (heardAt === null && problem === null) return;
  const meta = asOf === null ? null : { as_of: new Date(asOf).toISOString(), stale, partial };
  post({ kind: "news", meta: problem === null ? meta : null, problem: problemOf(problem), why });
});
tokenWanted.subscribe((wanted) => {
  if (wanted) post({ kind: "token" });
});
