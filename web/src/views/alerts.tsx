// What the alerting rules of the connected Prometheus call out.
import type { JSX } from "preact";
import type { NullReasons, Schemas } from "../api/client.ts";
import { columnsOf } from "../parts/columns.tsx";
import { whereHref, whereText } from "../parts/links.ts";
import { List, useList } from "../parts/list.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams } from "../state/filters.ts";
import type { Column } from "../parts/table.tsx";
import { here } from "../state/place.ts";
import { instantParams } from "../state/range.ts";
import { text } from "../text/en.ts";
import { eventsText as words } from "../text/en/events.ts";

type Alert = Schemas["GpuAlert"];

const FILTERS: readonly Filter[] = [
  { name: "alertname", label: words.filters.alertname },
  {
    name: "state",
    label: words.filters.state,
    options: [
      ["firing", "firing"],
      ["pending", "pending"],
    ],
  },
  { name: "severity", label: words.filters.severity },
  { name: "node", label: words.filters.node },
  { name: "gpu", label: words.filters.gpu },
  { name: "held_by", label: words.filters.held_by },
  { name: "label", label: words.filters.label },
];
const NAMES = [...FILTERS.map((one) => one.name), "uuid", "model", "namespace", "pod"];

function columns(reasons: NullReasons): Column<Alert>[] {
  const make = columnsOf<Alert>(reasons);
  const f = words.fields;
  return [
    make.text("alertname", f.alertname, 200),
    make.state("state", f.state, 100),
    make.state("severity", f.severity, 105),
    make.text("node_name", f.where, 150, {
      value: (row) => (row.node_name ? whereText(row.node_name, row.gpu_id) : null),
      show: (row) => {
        const where = whereText(row.node_name, row.gpu_id);
        const link = whereHref(row.node_name, row.gpu_id);
        return link === undefined ? where : <a href={link}>{where}</a>;
      },
    }),
    make.time("since", f.since, 170),
    make.duration("age_seconds", f.age_seconds, 90),
    make.list("held_by", f.held_by, 220, { help: words.help.held_by }),
    make.list("labels", f.labels, 380),
    make.text("gpu_name", f.gpu_name, 180),
  ];
}

export function Alerts(): JSX.Element {
  const filters = filterParams(NAMES);
  const asked = useList<Alert>("api/v1/gpu/alerts", { ...filters, ...instantParams() });
  const some = Object.keys(filters).length > 0;
  return (
    <>
      <Filters of={FILTERS} names={NAMES} />
      <List
        of={asked}
        label={words.tabs.alerts}
        columns={columns(asked.meta.null_reasons ?? {})}
        rowHref={(row) =>
          whereHref(row.node_name, row.gpu_id) ?? here({ alertname: row.alertname ?? null })
        }
        rowKey={(row) => `${row.state ?? ""} ${(row.labels ?? []).join(" ")}`}
        empty={some ? text.list.none : words.empty.alerts}
      />
    </>
  );
}
