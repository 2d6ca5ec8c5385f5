// What the page and its worker tell each other.
import type { Meta } from "../api/client.ts";
import type { FleetMap, Sent } from "./store.ts";

// Which rows: of the stream, or asked for every so many milliseconds (0: once).
export interface Follow {
  readonly kind: "follow";
  readonly id: number; // answers to an older question are not looked at
  readonly params: Record<string, string | readonly string[]>;
  readonly every: number | null; // null: the stream
  readonly base: string;
  readonly token: string | null;
}
export interface Look {
  readonly kind: "look";
  readonly sort: string | null;
  readonly words: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly map: string | null;
}
export type ToWorker =
  | Follow
  | Look
  | { readonly kind: "stop" }
  | { readonly kind: "csv"; readonly columns: readonly string[] };

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}
export interface FleetState {
  readonly total: number; // without the words
  readonly count: number;
  readonly nullReasons: Record<string, string>;
  readonly stale: boolean;
  readonly problem: Problem | null;
}
export type FromWorker =
  | {
      readonly kind: "rows";
      readonly id: number;
      readonly state: FleetState;
      readonly first: number;
      readonly sent: readonly Sent[];
    }
  | { readonly kind: "map"; readonly id: number; readonly map: FleetMap }
  | { readonly kind: "csv"; readonly text: string }
  | {
      readonly kind: "news";
      readonly meta: Meta | null;
      readonly problem: Problem | null;
      readonly why: string | null;
    }
  | { readonly kind: "token" };
