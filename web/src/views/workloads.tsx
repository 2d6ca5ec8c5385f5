// Who was given GPUs, and what of them is used.
import type { JSX } from "preact";
import type { Schemas } from "../api/client.ts";
import { Choice, chosen } from "../parts/choice.tsx";
import { columnsOf } from "../parts/columns.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams } from "../state/filters.ts";
import { number } from "../parts/format.ts";
import { List, useList } from "../parts/list.tsx";
import type { Column } from "../parts/table.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { Meter, Value } from "../parts/value.tsx";
import { href } from "../state/place.ts";
import { instantParams } from "../state/range.ts";
import { text } from "../text/en.ts";
import { workloadsText as words } from "../text/en/workloads.ts";
import { sumOf, usedOfAll, usedOfRequested } from "./share.ts";

type Row = Schemas["WorkloadUsage"];

const BY = [
  { value: "pod", label: words.pod },
  { value: "namespace", label: words.namespace },
  { value: "owner", label: words.owner },
];
const FILTERS: readonly Filter[] = [
  { name: "namespace", label: words.fields.namespace },
  { name: "pod", label: words.fields.pod },
  { name: "owner", label: words.owners },
  { name: "node", label: words.node },
  { name: "model", label: words.model },
  { name: "phase", label: words.fields.phase, options: words.phases.map((one) => [one, one]) },
];
const NAMES = [...FILTERS.map((one) => one.name), "owner_kind"];

// What holds the GPUs, as the filters of other views say it.
function scope(row: Row): Record<string, string | null | undefined> {
  return { namespace: row.namespace, pod: row.pod };
}

function gpusHref(row: Row, by: string): string {
  if (by === "owner")
    return href(["workloads"], { namespace: row.namespace, owner: row.owner_name });
  return href(["gpus"], scope(row));
}

function Links(props: { row: Row; by: string }): JSX.Element {
  const { row, by } = props;
  const task = by === "pod" && row.pod && row.namespace;
  return (
    <>
      {by === "owner" ? (
        <a href={gpusHref(row, by)}>{words.pods}</a>
      ) : (
        <a href={href(["gpus"], scope(row))}>{words.gpuLinks}</a>
      )}{" "}
      {task && <a href={href(["tasks", row.namespace ?? "", row.pod ?? ""])}>{words.task}</a>}
    </>
  );
}

function names(by: string, reasons: Record<string, string>): Column<Row>[] {
  const make = columnsOf<Row>(reasons);
  const f = words.fields;
  const namespace = make.text("namespace", f.namespace, 120);
  const owner = [
    make.text("owner_kind", f.owner_kind, 115),
    make.text("owner_name", f.owner_name, 170),
  ];
  if (by === "namespace") return [namespace, make.count("pods", f.pods, 70)];
  if (by === "owner") return [namespace, ...owner.reverse(), make.count("pods", f.pods, 70)];
  return [make.text("pod", f.pod, 230), namespace, make.text("phase", f.phase, 90), ...owner];
}

function columns(by: string, reasons: Record<string, string>): Column<Row>[] {
  const make = columnsOf<Row>(reasons);
  const { fields: f, help } = words;
  return [
    ...names(by, reasons),
    make.count("gpus_requested", f.gpus_requested, 125, { help: help.gpus_requested }),
    make.count("gpus", f.gpus, 70, { help: help.gpus }),
    make.count("gpu_share", f.gpu_share, 75, { help: help.gpu_share }),
    make.count("gpus_shared", f.gpus_shared, 75, { help: help.gpus_shared }),
    make.count("mig_instances", f.mig_instances, 60),
    make.percent("utilization", f.utilization, 130, { help: help.utilization }),
    {
      key: "used_of_requested_percent",
      title: f.used,
      help: help.used,
      width: 170,
      numeric: true,
      value: usedOfRequested,
      show: (row) => {
        const percent = usedOfRequested(row) ?? 0;
        return <Meter percent={percent} label={`${number(percent, 0)} %`} />;
      },
      reason: (row) =>
        row.null_reasons?.["gpus_requested"] ??
        row.null_reasons?.["utilization"] ??
        reasons["gpus_requested"] ??
        reasons["utilization"],
    },
    make.size("memory_used_bytes", f.memory_used_bytes, 125),
    {
      key: "links",
      title: words.links,
      width: 110,
      unsortable: true,
      value: (row) => row.pod ?? row.namespace ?? "",
      show: (row) => <Links row={row} by={by} />,
    },
    make.list("node_names", f.node_names, 150),
    make.list("gpu_names", f.gpu_names, 190),
  ];
}

function Totals(props: { rows: readonly Row[] }): JSX.Element {
  const { rows } = props;
  const requested = sumOf(rows, (row) => row.gpus_requested);
  const held = sumOf(rows, (row) => row.gpus);
  const share = sumOf(rows, (row) => row.gpu_share);
  const used = usedOfAll(rows);
  const t = words.tiles;
  const one = (of: { sum: number | null }, unit = "") => (
    <Value value={of.sum === null ? null : number(of.sum, 1) + unit} />
  );
  return (
    <Tiles>
      <Tile label={t.requested} more={t.ofRows(requested.known, rows.length)}>
        {one(requested)}
      </Tile>
      <Tile label={t.held} more={t.ofRows(held.known, rows.length)}>
        {one(held)}
      </Tile>
      <Tile label={t.share} more={t.ofRows(share.known, rows.length)}>
        {one(share)}
      </Tile>
      <Tile label={t.used} more={t.usedOf(used.known, rows.length)}>
        {one(used, " %")}
      </Tile>
    </Tiles>
  );
}

export default function Workloads(): JSX.Element {
  const by = chosen("by", BY);
  const filters = filterParams(NAMES);
  const asked = useList<Row>("api/v1/gpu/workloads", { by, ...filters, ...instantParams() });
  const some = Object.keys(filters).length > 0;
  return (
    <>
      <Choice name="by" label={words.by} options={BY} drop={["sort"]} />
      <Filters of={FILTERS} names={NAMES} />
      {asked.data && asked.data.length > 0 && <Totals rows={asked.data} />}
      <List
        of={asked}
        label={text.views.workloads}
        columns={columns(by, asked.meta.null_reasons ?? {})}
        rowKey={(row) =>
          [row.namespace, row.pod, row.owner_kind, row.owner_name].map(String).join("/")
        }
        rowHref={(row) => gpusHref(row, by)}
        usualSort="-gpus_requested"
        empty={some ? text.list.none : words.empty}
      />
    </>
  );
}
