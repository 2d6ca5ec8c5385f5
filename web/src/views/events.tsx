// What happened to GPUs, and what the rules of Prometheus call out.
import type { JSX } from "preact";
import { Warnings } from "../parts/asked.tsx";
import { Choice, chosen } from "../parts/choice.tsx";
import { columnsOf } from "../parts/columns.tsx";
import { duration, time } from "../parts/format.ts";
import { gpuHref, nodeHref, whereHref, whereText } from "../parts/links.ts";
import { Rows } from "../parts/list.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams } from "../state/filters.ts";
import type { Column } from "../parts/table.tsx";
import { here, href, param } from "../state/place.ts";
import { text } from "../text/en.ts";
import { eventsText as words } from "../text/en/events.ts";
import { Alerts } from "./alerts.tsx";
import { type Event, type Events, useEvents } from "./events-asked.ts";
import { countBy, identity } from "./slices.ts";
import { Timeline } from "./timeline.tsx";
import "../style/events.css";

const TABS = Object.entries(words.tabs).map(([value, label]) => ({ value, label }));
const FILTERS: readonly Filter[] = [
  { name: "type", label: words.filters.type, options: Object.entries(words.type) },
  {
    name: "severity",
    label: words.filters.severity,
    options: words.severities.map((one) => [one, one]),
  },
  { name: "node", label: words.filters.node },
  { name: "gpu", label: words.filters.gpu },
  { name: "namespace", label: words.filters.namespace },
  { name: "pod", label: words.filters.pod },
  { name: "user", label: words.filters.user },
];
const NAMES = [...FILTERS.map((one) => one.name), "uuid", "model"];

function owners(row: Event): string {
  const pods = row.pod ?? [];
  const namespaces = row.namespace ?? [];
  // One namespace for each pod, or one for all of them.
  return pods
    .map((pod, i) => {
      const namespace = namespaces.length === pods.length ? namespaces[i] : namespaces[0];
      return namespace ? `${namespace}/${pod}` : pod;
    })
    .join(", ");
}

function what(row: Event): string {
  const { text: told, target } = row;
  if (row.type === "exporter_down" && target) return words.outage(target, row.gpus ?? null);
  return told ?? "";
}

function Where(props: { row: Event }): JSX.Element {
  const { node_name: node, gpu_id: gpu } = props.row;
  const gpuLink = gpuHref(node, gpu);
  const nodeLink = nodeHref(node);
  if (gpuLink !== undefined) return <a href={gpuLink}>{whereText(node, gpu)}</a>;
  if (nodeLink !== undefined) return <a href={nodeLink}>{node}</a>;
  return <>–</>;
}

function columns(): Column<Event>[] {
  const make = columnsOf<Event>({});
  const f = words.fields;
  return [
    make.time("time", f.time, 170, {
      show: (row) => {
        const began = time(row.time ?? "");
        return row.open_before ? words.openBefore(began) : began;
      },
    }),
    make.state("severity", f.severity, 105),
    make.text("type", f.type, 120, { show: (row) => words.type[row.type ?? ""] ?? row.type }),
    make.text("node_name", f.where, 150, {
      value: (row) => whereText(row.node_name, row.gpu_id),
      show: (row) => <Where row={row} />,
    }),
    make.text("text", f.text, 280, { value: what }),
    {
      ...make.duration("duration_seconds", f.duration_seconds, 110, {
        help: words.help.duration,
        show: (row) => {
          const lasted = duration(row.duration_seconds ?? 0);
          return row.end == null ? `${lasted}, ${words.lasts}` : lasted;
        },
      }),
    },
    make.text("pod", f.owners, 230, { help: words.help.owners, value: owners }),
    make.list("users", f.users, 90),
    make.text("gpu_name", f.gpu_name, 190),
  ];
}

function Progress(props: { of: Events & { again: () => void } }): JSX.Element {
  const { of } = props;
  const back = of.back === null ? null : time(new Date(of.back).toISOString());
  if (of.error !== undefined) {
    return (
      <span role="alert">
        {words.stopped(back ?? "–", of.error.message)}{" "}
        <button type="button" onClick={of.again}>
          {text.failed.again}
        </button>
      </span>
    );
  }
  if (of.done) return <></>;
  return <span>{back === null ? words.begin : words.looking(back)}</span>;
}

function Types(props: { events: readonly Event[] }): JSX.Element {
  const now = param("type");
  const counts = countBy(props.events, (one) => one.type ?? "");
  return (
    <nav class="chips" aria-label={words.types}>
      {counts.map(([type, count]) => (
        <a
          key={type}
          href={here({ type: now === type ? null : type })}
          aria-current={now === type ? "true" : undefined}
        >
          {words.type[type] ?? type} <b>{count}</b>
        </a>
      ))}
    </nav>
  );
}

function EventList(): JSX.Element {
  const filters = filterParams(NAMES);
  const of = useEvents(filters);
  const some = Object.keys(filters).length > 0;
  const nothing = some ? text.list.none : words.empty.events;
  return (
    <>
      <Filters of={FILTERS} names={NAMES} />
      <Warnings of={of.warnings} />
      <Timeline events={of.events} window={of.window} back={of.done ? of.window.from : of.back} />
      <Types events={of.events} />
      <Rows
        label={words.tabs.events}
        columns={columns()}
        rows={of.events}
        rowKey={(row) => `${row.time ?? ""}\n${identity(row)}\n${row.xid ?? ""}`}
        rowHref={(row) => whereHref(row.node_name, row.gpu_id) ?? href(["nodes"])}
        empty={of.error !== undefined ? text.failed.title : of.done ? nothing : text.loading}
      >
        <span role="status">
          <Progress of={of} />
        </span>
      </Rows>
    </>
  );
}

export default function EventsView(): JSX.Element {
  const tab = chosen("tab", TABS);
  return (
    <>
      <Choice
        name="tab"
        label={words.show}
        options={TABS}
        drop={["sort", "type", "severity", "state", "alertname", "held_by", "label"]}
      />
      {tab === "events" ? <EventList /> : <Alerts />}
    </>
  );
}
