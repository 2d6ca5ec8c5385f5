// What `gpu-monitoring-api collect` has stored.
import type { JSX } from "preact";
import type { Schemas } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { Chart } from "../parts/chart.tsx";
import { number, time } from "../parts/format.ts";
import { Rows } from "../parts/list.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { namedParams } from "../state/filters.ts";
import type { Column } from "../parts/table.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { State, Value } from "../parts/value.tsx";
import { range, rangeMs } from "../state/range.ts";
import { healthText as words } from "../text/en/health.ts";
import { newest, scoresOf, type Snapshot } from "./findings.ts";

type History = Schemas["HealthHistory"];

const EVERY = 60_000;
const MOST = 1000; // that the route gives at once
const FILTERS: readonly Filter[] = [
  { name: "task", label: words.filters.task },
  { name: "node", label: words.filters.node },
];

// The route counts in whole hours before an instant.
function hoursParams(): Record<string, string | number> {
  const { from, to } = rangeMs(range.value, Date.now());
  const hours = Math.min(720, Math.max(1, Math.ceil((to - from) / 3_600_000)));
  const until = range.value.end ?? range.value.at;
  return { hours: Number.isNaN(hours) ? 24 : hours, ...(until === null ? {} : { at: until }) };
}

const percent = (value: number | null | undefined) =>
  value == null ? null : `${number(100 * value, 1)} %`;

function columns(): Column<Snapshot>[] {
  const f = words.fields;
  return [
    { key: "task_id", title: f.task_id, width: 250, value: (row) => row.task_id },
    { key: "instance_id", title: f.instance_id, width: 140, value: (row) => row.instance_id },
    {
      key: "health_status",
      title: f.health_status,
      width: 110,
      value: (row) => row.health_status,
      show: (row) => <State state={row.health_status} />,
    },
    {
      key: "health_score",
      title: f.health_score,
      width: 80,
      numeric: true,
      value: (row) => row.health_score,
      show: (row) => percent(row.health_score),
    },
    {
      key: "timestamp",
      title: f.timestamp,
      width: 170,
      value: (row) => row.timestamp,
      show: (row) => time(row.timestamp),
    },
    {
      key: "messages",
      title: f.messages,
      width: 360,
      value: (row) =>
        (row.health_states ?? [])
          .map((one) => one.message ?? "")
          .filter((one) => one !== "")
          .join("; "),
    },
    {
      key: "events",
      title: f.events,
      width: 80,
      numeric: true,
      value: (row) => row.events?.length ?? null,
    },
  ];
}

function Stored(props: { of: History }): JSX.Element {
  const { of } = props;
  const snapshots = of.snapshots as unknown as readonly Snapshot[];
  const scores = scoresOf(snapshots);
  const h = words.history;
  return (
    <>
      <Tiles>
        <Tile label={h.snapshots}>{of.snapshot_count}</Tile>
        <Tile label={h.tasks}>
          <Value value={of.task_count} />
        </Tile>
        <Tile label={h.current}>
          <Value value={percent(of.health_score.current)} />
        </Tile>
        <Tile label={h.averageTile}>
          <Value value={percent(of.health_score.average)} />
        </Tile>
        <Tile label={h.worst}>
          <Value value={percent(of.health_score.min)} />
        </Tile>
        <Tile label={h.critical}>{of.critical_events}</Tile>
        <Tile label={h.unhealthy}>{of.unhealthy_periods}</Tile>
      </Tiles>
      <Chart
        title={h.chart}
        times={scores.times}
        lines={[
          { label: h.average, values: scores.average },
          { label: h.least, values: scores.least, faint: true },
        ]}
        format={(value) => `${number(value, 0)} %`}
        least={0}
        most={100}
      />
      <p class="note">{h.note(snapshots.length, of.snapshot_count)}</p>
      <h3>{h.latest}</h3>
      <Rows
        label={words.tabs.history}
        columns={columns()}
        rows={newest(snapshots)}
        rowKey={(row) => row.task_id}
        usualSort="health_score"
        empty={words.empty.history}
      />
    </>
  );
}

export function HealthHistory(): JSX.Element {
  const { task, node } = namedParams(["task", "node"]);
  const asked = useAsked<History>(
    "api/v1/gpu/health/history",
    { ...hoursParams(), limit: MOST, ...(task ? { task } : {}), ...(node ? { node } : {}) },
    EVERY,
  );
  return (
    <>
      <Filters of={FILTERS} />
      <Shown of={asked}>
        {(of) =>
          of.snapshot_count > 0 ? (
            <Stored of={of} />
          ) : (
            <div class="empty">
              <p>{words.empty.history}</p>
              <pre>
                <code>{words.command}</code>
              </pre>
            </div>
          )
        }
      </Shown>
    </>
  );
}
