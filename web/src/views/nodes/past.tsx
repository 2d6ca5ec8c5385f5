// What was: history, lost GPUs and events of a node over the window. One question after the other:
// each costs Prometheus something, and a browser asks few at a time.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { gpuHref } from "../../parts/links.ts";
import type { Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { Chart, type Line } from "../../parts/chart.tsx";
import { Kept, PlainTable, Time } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { range, windowParams } from "../../state/range.ts";
import { words } from "../../text/en/nodes.ts";
import { incomplete, stepTimes } from "./series.ts";

type History = Schemas["GpuHistory"];
const EVERY = 60_000;

// Whether an answer has come, or none will.
function settled(asked: Asked<unknown>): boolean {
  return asked.data !== undefined || asked.error !== undefined;
}

function useHistory(name: string, metric: string, after: Asked<unknown> | null): Asked<History[]> {
  const ready = after === null || settled(after);
  return useAsked<History[]>(
    ready ? "api/v1/gpu/history" : null,
    { metric, aggregate: "node", node: name, ...windowParams() },
    EVERY,
    true,
  );
}

export function NodePast(props: { name: string }): JSX.Element {
  const { name } = props;
  const utilization = useHistory(name, "utilization", null);
  const memory = useHistory(name, "memory_used_bytes", utilization);
  const temperature = useHistory(name, "temperature", memory);
  const power = useHistory(name, "power", temperature);
  const percent = (value: number) => `${number(value, 0)} %`;
  return (
    <>
      <section class="section">
        <h3>{words.historyOf(range.value.window)}</h3>
        <div class="charts">
          <Past of={utilization} title={words.utilization} format={percent} most={100} />
          <Past of={memory} title={words.memoryUsed} format={bytes} sum />
          <Past of={temperature} title={words.temperature} format={(n) => `${number(n, 0)} °C`} />
          <Past of={power} title={words.power} format={(n) => `${number(n, 0)} W`} sum />
        </div>
      </section>
      <Lost name={name} after={power} />
    </>
  );
}

function Past(props: {
  of: Asked<History[]>;
  title: string;
  format: (value: number) => string;
  most?: number;
  sum?: boolean;
}): JSX.Element {
  const { of, title, format, most } = props;
  return (
    <div>
      <Kept of={of}>
        {([row]) => {
          if (row === undefined) {
            return (
              <p class="muted">
                {title}: {words.noHistory}
              </p>
            );
          }
          const values = (props.sum ? row.sum : row.avg) ?? [];
          const lines: Line[] = props.sum
            ? [{ label: words.sumOf, values }]
            : [
                { label: words.mean, values },
                { label: words.highest, values: row.max ?? [], color: "--line-2", faint: true },
              ];
          const { gaps, most: all } = incomplete(props.sum ? (row.known ?? []) : []);
          return (
            <>
              <Chart
                title={title}
                times={stepTimes(of.meta, values.length)}
                lines={lines}
                format={format}
                binary={format === bytes}
                least={0}
                {...(most === undefined ? {} : { most })}
              />
              {gaps > 0 && <p class="muted">{words.someKnown(gaps, values.length, all)}</p>}
            </>
          );
        }}
      </Kept>
    </div>
  );
}

function Lost(props: { name: string; after: Asked<unknown> }): JSX.Element {
  const params = { node: props.name, ...windowParams() };
  const missing = useAsked<Schemas["MissingGpu"][]>(
    settled(props.after) ? "api/v1/gpu/missing" : null,
    params,
    EVERY,
    true,
  );
  return (
    <>
      <section class="section">
        <h3>{words.missing}</h3>
        <Kept of={missing}>
          {(rows) =>
            rows.length === 0 ? (
              <p class="muted">{words.noMissing}</p>
            ) : (
              <PlainTable
                label={words.missing}
                columns={[
                  { title: words.gpu },
                  { title: words.gpuName },
                  { title: words.what },
                  { title: words.evidence },
                  { title: words.lastSeen },
                  { title: words.missingSince },
                  { title: words.lastXid, numeric: true },
                  { title: words.owners },
                ]}
                rows={rows.map((row, i) => ({ key: String(i), cells: lostCells(row) }))}
              />
            )
          }
        </Kept>
      </section>
      <Events name={props.name} after={missing} />
    </>
  );
}

function lostCells(row: Schemas["MissingGpu"]): JSX.Element[] {
  const what = row.what ? (words.gone[row.what] ?? row.what) : null;
  return [
    <Value key="g" value={row.gpu_id ?? row.uuid} />,
    <Value key="n" value={row.gpu_name} reason={row.null_reasons?.["gpu_name"]} />,
    <Value key="w" value={what} reason={row.null_reasons?.["what"]} />,
    <Value key="e" value={row.evidence} reason={row.null_reasons?.["evidence"]} />,
    row.last_seen ? <Time iso={row.last_seen} /> : <Value value={null} />,
    row.missing_since ? <Time iso={row.missing_since} /> : <Value value={null} />,
    <Value key="x" value={row.last_xid} reason={row.null_reasons?.["last_xid"]} />,
    <>{(row.owners ?? []).map((one) => `${one.namespace ?? "?"}/${one.pod ?? "?"}`).join(", ")}</>,
  ];
}

const SHOWN = 50;

function Events(props: { name: string; after: Asked<unknown> }): JSX.Element {
  const asked = useAsked<Schemas["GpuEvent"][]>(
    settled(props.after) ? "api/v1/gpu/events" : null,
    { node: props.name, limit: SHOWN, ...windowParams() },
    EVERY,
    true,
  );
  return (
    <section class="section">
      <h3>{words.events}</h3>
      <Kept of={asked}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="muted">{words.noEvents}</p>
          ) : (
            <>
              <PlainTable
                label={words.events}
                columns={[
                  { title: words.time },
                  { title: words.severity },
                  { title: words.gpu },
                  { title: words.event },
                  { title: words.until },
                ]}
                rows={rows.map((row, i) => ({ key: String(i), cells: eventCells(row) }))}
              />
              {(asked.meta.total ?? 0) > rows.length && (
                <p class="muted">{words.moreEvents(rows.length, asked.meta.total ?? 0)}</p>
              )}
              <p>
                <a href={href(["events"], { node: props.name })}>{words.allEvents}</a>
              </p>
            </>
          )
        }
      </Kept>
    </section>
  );
}

function eventCells(row: Schemas["GpuEvent"]): JSX.Element[] {
  return [
    row.time ? <Time iso={row.time} /> : <Value value={null} />,
    <Phase key="s" of={row.severity ?? "info"} />,
    row.gpu_id ? (
      <Link to={gpuHref(row.node_name, row.gpu_id)}>{row.gpu_id}</Link>
    ) : (
      <Value value={row.target} />
    ),
    <>{row.text ?? row.type}</>,
    row.end ? <Time iso={row.end} /> : <>{words.lasts}</>,
  ];
}
