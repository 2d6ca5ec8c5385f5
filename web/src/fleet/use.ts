// A fleet that the worker follows: the page asks it for what can be seen.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import type { GpuRow } from "../api/live.ts";
import { heard } from "../state/news.ts";
import { paused, token, tokenWanted } from "../state/prefs.ts";
import type { FleetMap } from "./store.ts";
import type { FleetState, FromWorker, Look, ToWorker } from "./words.ts";

export interface FleetRows {
  readonly state: FleetState | undefined; // of these rows; undefined: none have come
  readonly first: number;
  readonly rows: readonly GpuRow[];
  readonly map: FleetMap | undefined;
  readonly csv: (columns: readonly string[]) => Promise<string>;
}

type Told = Omit<FleetRows, "csv"> & { readonly id: number };

const NOTHING: Told = { id: 0, state: undefined, first: 0, rows: [], map: undefined };

class Crew {
  private worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private rows = new Map<number, GpuRow>();
  private waiting: ((text: string) => void)[] = [];
  private told: Told = NOTHING;
  id = 0;

  constructor(show: (told: Told) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "news")
        heard(data.meta, errorOf(data.problem), "prometheus", "api/v1/gpu/metrics ", data.why);
      else if (data.kind === "token") tokenWanted.value = true;
      else if (data.kind === "csv") this.waiting.shift()?.(data.text);
      else if (data.id === this.id) show((this.told = this.take(data)));
    };
  }
  private take(data: FromWorker & { kind: "rows" | "map" }): Told {
    const last = this.told.id === this.id ? this.told : { ...NOTHING, id: this.id };
    if (data.kind === "map") return { ...last, map: data.map };
    const rows = new Map<number, GpuRow>();
    for (const { id, row } of data.sent) {
      const known = row ?? this.rows.get(id);
      if (known !== undefined) rows.set(id, known);
    }
    this.rows = rows;
    return { ...last, state: data.state, first: data.first, rows: [...rows.values()] };
  }
  tell(message: ToWorker): void {
    this.worker.postMessage(message);
  }
  csv(columns: readonly string[]): Promise<string> {
    this.tell({ kind: "csv", columns });
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  end(): void {
    this.worker.terminate();
  }
}

function errorOf(problem: FleetState["problem"]): ApiError | null {
  return problem && new ApiError(problem.status, problem.code, problem.message);
}

// `params` null: nothing is followed. `every` null: by the stream.
export function useFleet(
  params: Record<string, string | readonly string[]> | null,
  every: number | null,
  look: Omit<Look, "kind">,
): FleetRows {
  const [told, setTold] = useState<Told>(NOTHING);
  const crew = useRef<Crew | null>(null);
  const key = params === null ? "" : JSON.stringify(params);
  const asked = useRef("");
  const stopped = paused.value;
  const shown = token.value;

  useEffect(() => () => crew.current?.end(), []);
  useEffect(() => {
    if (params === null) return;
    crew.current ??= new Crew(setTold);
    // Whoever pauses keeps what is there.
    if (asked.current !== key) crew.current.id += 1;
    else if (stopped) return crew.current.tell({ kind: "stop" });
    asked.current = key;
    const { id } = crew.current;
    const base = document.baseURI;
    crew.current.tell({ kind: "follow", id, params, every, base, token: shown });
  }, [key, every, stopped, shown]);
  useEffect(() => {
    crew.current?.tell({ kind: "look", ...look });
  }, [key, look.sort, look.words.join("\n"), look.first, look.last, look.map]);

  const mine = params !== null && asked.current === key && told.id === crew.current?.id;
  const csv = (columns: readonly string[]) => crew.current?.csv(columns) ?? Promise.resolve("");
  return mine ? { ...told, csv } : { ...NOTHING, csv };
}
