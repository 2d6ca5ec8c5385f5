// What the colours of the heat map say, how many GPUs have each, and the same in numbers.
import type { JSX } from "preact";
import { isNodeName } from "../../parts/links.ts";
import { useMemo, useState } from "preact/hooks";
import type { FleetMap } from "../../fleet/store.ts";
import { number } from "../../parts/format.ts";
import { type Column, Table } from "../../parts/table.tsx";
import { State } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { gpusText } from "../../text/en/gpus.ts";
import { text } from "../../text/en.ts";
import { boundsOf, rampOf, SCALES, stepOf } from "./heat.ts";
import { LEVELS } from "./paint.ts";

const words = gpusText.map;

// How many GPUs each step has, and why the others have none.
function countsOf(map: FleetMap): { steps: number[]; reasons: [string, number][] } {
  const scale = SCALES[map.field];
  const steps = new Array<number>(scale?.steps ?? LEVELS.length).fill(0);
  const reasons = new Map<string, number>();
  map.values.forEach((value, cell) => {
    const step = scale ? stepOf(value, scale) : Number.isNaN(value) ? -1 : value;
    if (step >= 0) steps[step] = (steps[step] ?? 0) + 1;
    else {
      const reason = map.reasons[cell];
      const why = reason === undefined ? text.unknown : (text.reasons[reason] ?? reason);
      reasons.set(why, (reasons.get(why) ?? 0) + 1);
    }
  });
  return { steps, reasons: [...reasons] };
}

export function Legend(props: { map: FleetMap }): JSX.Element {
  const { map } = props;
  const scale = SCALES[map.field];
  const { steps, reasons } = useMemo(() => countsOf(map), [map]);
  const ramp = scale ? rampOf(scale) : [];
  const name = (step: number) => {
    if (!scale) return "";
    const [low, high] = boundsOf(step, scale).map((bound) => number(bound, 0));
    return step === scale.steps - 1
      ? words.over(`${low ?? ""} ${scale.unit}`)
      : words.range(low ?? "", `${high ?? ""} ${scale.unit}`);
  };
  return (
    <ul class="heat-legend" aria-label={words.legend}>
      {steps.map((count, step) => (
        <li key={step}>
          {scale ? (
            <>
              <svg viewBox="0 0 10 10" aria-hidden="true">
                <rect class={ramp[step]} width="10" height="10" />
              </svg>
              {name(step)}
            </>
          ) : (
            <State state={LEVELS[step] ?? "unknown"} />
          )}
          <b>{count}</b>
        </li>
      ))}
      {reasons.map(([why, count]) => (
        <li key={why}>
          <span class="unknown heat-hatch" aria-hidden="true" />
          {why === text.unknown ? why : text.unknownBecause(why)}
          <b>{count}</b>
        </li>
      ))}
    </ul>
  );
}

interface NodeRow {
  readonly node: string;
  readonly gpus: number;
  readonly known: number;
  readonly least: number | null;
  readonly mean: number | null;
  readonly most: number | null;
  readonly levels: readonly number[];
}

function nodeRows(map: FleetMap): NodeRow[] {
  return map.nodes.map((node, i) => {
    const begin = map.starts[i] ?? 0;
    const values = map.values.subarray(begin, map.starts[i + 1] ?? map.values.length);
    const known = [...values].filter((value) => !Number.isNaN(value));
    const some = known.length > 0;
    return {
      node,
      gpus: values.length,
      known: known.length,
      least: some ? Math.min(...known) : null,
      mean: some ? known.reduce((sum, value) => sum + value, 0) / known.length : null,
      most: some ? Math.max(...known) : null,
      levels: LEVELS.map((_, level) => known.filter((value) => value === level).length),
    };
  });
}

function columnsOf(field: string): Column<NodeRow>[] {
  const unit = SCALES[field]?.unit ?? "";
  const count = (key: string, title: string, value: (row: NodeRow) => number | null) =>
    ({ key, title, width: 100, numeric: true, value }) satisfies Column<NodeRow>;
  const measured = (key: string, title: string, value: (row: NodeRow) => number | null) => ({
    ...count(key, title, value),
    show: (row: NodeRow) => `${number(value(row) ?? 0)} ${unit}`,
  });
  const head: Column<NodeRow>[] = [
    { key: "node", title: words.node, width: 160, value: (row) => row.node },
    count("gpus", text.views.gpus, (row) => row.gpus),
  ];
  const tail = count("unknown", text.unknown, (row) => row.gpus - row.known);
  if (field === "health") {
    const levels = LEVELS.map((level, i) =>
      count(level, text.levels[level] ?? level, (row) => row.levels[i] ?? 0),
    );
    return [...head, ...levels, tail];
  }
  return [
    ...head,
    measured("least", words.least, (row) => row.least),
    measured("mean", words.mean, (row) => row.mean),
    measured("most", words.most, (row) => row.most),
    tail,
  ];
}

export function NodeTable(props: { map: FleetMap }): JSX.Element {
  const { map } = props;
  const rows = useMemo(() => nodeRows(map), [map]);
  const columns = useMemo(() => columnsOf(map.field), [map.field]);
  const [sort, setSort] = useState<string | null>(null);
  return (
    <Table
      label={words.alternative}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.node}
      rowHref={(row) => href(["gpus"], isNodeName(row.node) ? { node: row.node } : {})}
      sort={sort}
      onSort={setSort}
      height="min(60vh, 420px)"
    />
  );
}
