// What is known of a GPU besides its values: health, who uses it, what happened.
import type { JSX } from "preact";
import type { GpuProcess, Params, Schemas } from "../../api/client.ts";
import type { GpuRow } from "../../api/live.ts";
import { useAsked } from "../../api/query.ts";
import { reasonOf } from "../../fleet/cells.ts";
import { Shown } from "../../parts/asked.tsx";
import { bytes, duration, number, time } from "../../parts/format.ts";
import { Plain, type PlainColumn } from "../../parts/plain.tsx";
import { State, Unknown } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams, range, windowParams } from "../../state/range.ts";
import { migNames } from "./names.ts";
import { gpuText } from "../../text/en/gpu.ts";
import { processesText } from "../../text/en/processes.ts";

type Health = Schemas["GpuHealth"];
type Finding = Schemas["HealthFinding"];
type GpuEvent = Schemas["GpuEvent"];
type Workload = Schemas["Workload"];

const words = gpuText.columns;

// What is polled, of an instant of the past once.
function every(): number {
  return range.value.at === null ? 5000 : 0;
}

const FINDINGS: readonly PlainColumn<Finding>[] = [
  {
    title: words.severity,
    show: (one) => <State state={one.severity} label={one.severity} />,
  },
  { title: words.component, show: (one) => gpuText.components[one.component] ?? one.component },
  { title: words.finding, show: (one) => one.finding },
  { title: words.action, show: (one) => gpuText.actions[one.action] ?? one.action },
  {
    title: words.since,
    show: (one) => {
      if (one.since === null) return gpuText.sinceBefore;
      return one.open_before ? gpuText.orBefore(time(one.since)) : time(one.since);
    },
  },
  {
    title: words.effect,
    show: (one) => (one.factor === 1 ? "" : gpuText.factor(number(one.factor, 2))),
  },
];

// `of`: which of several rows it is.
function HealthRow(props: { row: Health; of: string | undefined }): JSX.Element {
  const { row } = props;
  const findings = row.findings ?? [];
  return (
    <>
      <p class="gpu-health">
        {props.of !== undefined && <span>{props.of}:</span>}
        <State state={row.level ?? "unknown"} />
        {row.score === null || row.score === undefined ? (
          <Unknown reason={row.null_reasons?.["score"]} />
        ) : (
          <b>{gpuText.score(row.score)}</b>
        )}
        {typeof row.confidence === "number" && row.confidence < 1 && (
          <span>{gpuText.confidence(`${number(row.confidence * 100, 0)} %`)}</span>
        )}
      </p>
      {findings.length === 0 ? (
        <p>{gpuText.noFindings}</p>
      ) : (
        <Plain label={gpuText.findingsOf} columns={FINDINGS} rows={findings} />
      )}
    </>
  );
}

export function HealthOf(props: {
  which: Params;
  nameOf: (migUuid: string) => string;
  divided: boolean; // and the whole has no row
}): JSX.Element {
  const params = { ...props.which, ...instantParams() };
  const asked = useAsked<Health[]>("api/v1/gpu/health", params, every());
  return (
    <section aria-label={gpuText.health}>
      <h3>{gpuText.health}</h3>
      <Shown of={asked}>
        {(rows) => {
          const names = migNames(rows, props.divided, props.nameOf);
          return rows.map((row, i) => (
            <HealthRow key={i} row={row} of={rows.length > 1 ? names[i] : undefined} />
          ));
        }}
      </Shown>
    </section>
  );
}

type Held = Workload & { readonly of: string };

const WORKLOADS: readonly PlainColumn<Held>[] = [
  { title: words.namespace, show: (one) => one.namespace },
  {
    title: words.pod,
    show: (one) =>
      one.pod && (
        <a href={href(["gpus"], { namespace: one.namespace, pod: one.pod, show: "table" })}>
          {one.pod}
        </a>
      ),
  },
  { title: words.container, show: (one) => one.container },
];
const SHARED: readonly PlainColumn<Held>[] = [
  {
    title: words.utilization,
    numeric: true,
    show: ({ share }) =>
      share === null
        ? gpuText.alone
        : share.utilization == null
          ? null
          : `${number(share.utilization)} %`,
  },
  {
    title: words.memory,
    numeric: true,
    show: ({ share }) =>
      share === null
        ? gpuText.alone
        : share.memory_used_bytes == null
          ? null
          : bytes(share.memory_used_bytes),
  },
  {
    title: words.limit,
    numeric: true,
    show: ({ share }) =>
      share === null
        ? ""
        : share.memory_limit_bytes == null
          ? null
          : bytes(share.memory_limit_bytes),
  },
];

export function WorkloadsOf(props: {
  rows: readonly GpuRow[];
  nullReasons: Record<string, string>;
  nameOf: (row: GpuRow) => string;
}): JSX.Element {
  const { rows, nullReasons, nameOf } = props;
  const held = rows.flatMap((row) =>
    (row.workloads ?? []).map((one) => ({ ...one, of: nameOf(row) })),
  );
  const unsaid = rows.every((row) => row.workloads === null || row.workloads === undefined);
  const [row] = rows;
  const columns = [
    ...(rows.length > 1 ? [{ title: words.instance, show: (one: Held) => one.of }] : []),
    ...WORKLOADS,
    ...(held.some((one) => one.share !== null) ? SHARED : []),
  ];
  return (
    <section aria-label={gpuText.workloads}>
      <h3>{gpuText.workloads}</h3>
      {unsaid && row ? (
        <p>
          {gpuText.unknownWorkloads} <Unknown reason={reasonOf(row, "workloads", nullReasons)} />
        </p>
      ) : held.length === 0 ? (
        <p class="empty">{gpuText.noWorkloads}</p>
      ) : (
        <Plain label={gpuText.workloads} columns={columns} rows={held} />
      )}
    </section>
  );
}

const titles = processesText.columns;

function processColumns(nullReasons: Record<string, string>): PlainColumn<GpuProcess>[] {
  const column = (
    title: string,
    field: keyof GpuProcess,
    show: (value: string | number) => string,
  ): PlainColumn<GpuProcess> => ({
    title,
    show: (row) => {
      const value = row[field];
      return typeof value === "string" || typeof value === "number" ? show(value) : null;
    },
    reason: (row) => row.null_reasons?.[field] ?? nullReasons[field],
  });
  const numeric = (one: PlainColumn<GpuProcess>) => ({ ...one, numeric: true });
  return [
    numeric(column(titles.pid, "pid", String)),
    column(titles.user, "user", String),
    column(titles.process, "process_name", String),
    numeric(column(titles.gpuMemory, "gpu_memory_bytes", (value) => bytes(Number(value)))),
    numeric(column(titles.cpu, "cpu", (value) => `${number(Number(value))} %`)),
    numeric(column(titles.memory, "memory", (value) => `${number(Number(value))} %`)),
    column(titles.command, "command", String),
  ];
}

export function ProcessesOf(props: { which: Params }): JSX.Element {
  const params = { ...props.which, ...instantParams() };
  const asked = useAsked<GpuProcess[]>("api/v1/gpu/processes", params, every());
  const columns = processColumns(asked.meta.null_reasons ?? {});
  return (
    <section aria-label={gpuText.processes}>
      <h3>{gpuText.processes}</h3>
      <Shown of={asked}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="empty">{gpuText.noProcesses}</p>
          ) : (
            <Plain label={gpuText.processes} columns={columns} rows={rows} />
          )
        }
      </Shown>
    </section>
  );
}

const EVENTS: readonly PlainColumn<GpuEvent>[] = [
  { title: words.time, show: (one) => one.time && time(one.time) },
  {
    title: words.severity,
    show: (one) => one.severity && <State state={one.severity} label={one.severity} />,
  },
  { title: words.type, show: (one) => one.type },
  { title: words.what, show: (one) => one.text },
  {
    title: words.lasted,
    numeric: true,
    show: (one) => (one.end === null ? gpuText.lasts : duration(one.duration_seconds ?? 0)),
  },
  { title: words.users, show: (one) => [...(one.pod ?? []), ...(one.users ?? [])].join(", ") },
];

export function EventsOf(props: { which: Params }): JSX.Element {
  const params = { ...props.which, ...windowParams(), limit: 200 };
  const asked = useAsked<GpuEvent[]>("api/v1/gpu/events", params, 60_000, true);
  return (
    <section aria-label={gpuText.events}>
      <h3>{gpuText.events}</h3>
      <Shown of={asked}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="empty">{gpuText.noEvents}</p>
          ) : (
            <Plain label={gpuText.events} columns={EVENTS} rows={rows} />
          )
        }
      </Shown>
    </section>
  );
}
