// The rows of the list: the first page at once, then the stream's; of a fleet that is too large
// for a stream page after page, sorted by the server.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Params } from "../../api/client.ts";
import type { GpuRow } from "../../api/live.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { USUAL_FIELDS } from "../../fleet/cells.ts";
import { type FleetRows, useFleet } from "../../fleet/use.ts";
import { type Field, isSortable } from "../../parts/fields.ts";
import { useKept } from "../../parts/kept.ts";
import { offsetOf } from "../../parts/pager.tsx";
import { sortOf } from "../../parts/sort.ts";

export const LIVE_MOST = 20_000;
export const PAGE = 200;
const MAP_EVERY = 15_000; // of a fleet that is too large for a stream
const AROUND = 60; // rows beside those that can be seen
const STEP = 20; // so that not each row that is scrolled asks anew

export interface Wanted {
  readonly fields: readonly Field[];
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly words: readonly string[];
  readonly columns: readonly string[];
  readonly sort: string | null;
  readonly at: string | null;
  readonly map: string | null; // what the heat map shows
}

export interface GpuRows {
  readonly rows: readonly GpuRow[];
  readonly first: number; // of `rows` among `count`
  readonly count: number;
  readonly total: number;
  readonly nullReasons: Record<string, string>;
  readonly by: "nothing" | "live" | "page";
  readonly page: Asked<GpuRow[]>;
  readonly fleet: FleetRows;
  readonly params: Params; // what the server was asked
  readonly onSeen: (first: number, last: number) => void;
}

// Which of the two choices of fields has all that is shown.
function fieldsFor(wanted: Wanted): readonly string[] {
  const by = sortOf(wanted.sort)?.by;
  const needed = by === undefined ? wanted.columns : [...wanted.columns, by];
  if (wanted.map !== null || needed.every((name) => USUAL_FIELDS.includes(name)))
    return USUAL_FIELDS;
  return wanted.fields.map((field) => field.name);
}

function pageParams(wanted: Wanted, fields: string): Params {
  const by = sortOf(wanted.sort)?.by;
  const list = wanted.fields.find((field) => field.name === by);
  const [word] = wanted.words;
  const inNames = word === undefined || wanted.filters["node"] ? {} : { node: [`*${word}*`] };
  return {
    ...wanted.filters,
    ...inNames,
    fields,
    ...(wanted.sort !== null && (list === undefined || isSortable(list))
      ? { sort: wanted.sort }
      : {}),
    ...(wanted.at === null ? {} : { at: wanted.at }),
  };
}

// What can be seen, in steps.
function useSeen(): [number, number, (first: number, last: number) => void] {
  const [seen, setSeen] = useState<readonly [number, number]>([0, 2 * AROUND]);
  const onSeen = useMemo(
    () => (first: number, last: number) => {
      const from = Math.max(0, Math.floor((first - AROUND) / STEP) * STEP);
      const to = Math.ceil((last + AROUND) / STEP) * STEP;
      setSeen((before) => (before[0] === from && before[1] === to ? before : [from, to]));
    },
    [],
  );
  return [seen[0], seen[1], onSeen];
}

export function useGpuRows(wanted: Wanted): GpuRows {
  const { filters, at, map } = wanted;
  const fields = fieldsFor(wanted).join(",");
  const question = JSON.stringify([filters, at]);
  const [counted, setCounted] = useState({ question: "", total: -1 });
  const [first, last, onSeen] = useSeen();
  const known = counted.question === question ? counted.total : -1;
  const small = known >= 0 && known <= LIVE_MOST;
  const followed = known < 0 || (!small && map === null) ? null : { ...filters, fields };
  const polled = at !== null ? 0 : small ? null : MAP_EVERY;
  const fleet = useFleet(
    followed === null ? null : at === null ? followed : { ...followed, at },
    polled,
    { sort: wanted.sort, words: wanted.words, first, last, map },
  );
  const live = fleet.state !== undefined;
  const params = pageParams(known < 0 ? { ...wanted, words: [] } : wanted, fields);
  const offset = known > LIVE_MOST ? offsetOf() : 0;
  const asked = wanted.fields.length === 0 || live ? null : "api/v1/gpu/metrics";
  const limits = { limit: PAGE, ...(offset > 0 ? { offset } : {}) };
  const every = at === null ? 5000 : 0;
  const page = useKept(useAsked<GpuRow[]>(asked, { ...params, ...limits }, every), question);
  // A word narrows what the server counts: the size of the fleet was known before.
  const answered = page.meta.total;
  useEffect(() => {
    if (answered !== undefined && known < 0) setCounted({ question, total: answered });
  }, [answered, known, question]);
  const common = { page, fleet, params, onSeen };
  if (fleet.state !== undefined) {
    const { count, total, nullReasons } = fleet.state;
    return {
      ...common,
      rows: fleet.rows,
      first: fleet.first,
      count,
      total,
      nullReasons,
      by: "live",
    };
  }
  const rows = page.data ?? [];
  const total = page.meta.total ?? rows.length;
  const nullReasons = page.meta.null_reasons ?? {};
  const some = page.data !== undefined && (known > LIVE_MOST || wanted.words.length === 0);
  const by = some ? "page" : "nothing";
  return {
    ...common,
    rows,
    first: 0,
    count: known > LIVE_MOST ? rows.length : total,
    total,
    nullReasons,
    by,
  };
}
