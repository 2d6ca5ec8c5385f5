// Who uses GPUs, by the owners of the processes on them.
import type { JSX } from "preact";
import type { NullReasons, Schemas } from "../api/client.ts";
import { columnsOf } from "../parts/columns.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams } from "../state/filters.ts";
import { number } from "../parts/format.ts";
import { List, useList } from "../parts/list.tsx";
import type { Column } from "../parts/table.tsx";
import { Meter } from "../parts/value.tsx";
import { href } from "../state/place.ts";
import { instantParams } from "../state/range.ts";
import { text } from "../text/en.ts";
import { usersText as words } from "../text/en/users.ts";
import { sumOf } from "./share.ts";

type Row = Schemas["UserUsage"];

const FILTERS: readonly Filter[] = [
  { name: "user", label: words.filters.user },
  { name: "node", label: words.filters.node },
  { name: "model", label: words.filters.model },
  { name: "pod", label: words.filters.pod },
];
const NAMES = FILTERS.map((one) => one.name);

function Links(props: { user: string }): JSX.Element {
  const { user } = props;
  return (
    <>
      <a href={href(["gpus"], { user })}>{words.gpus}</a>{" "}
      <a href={href(["processes"], { user })}>{words.processes}</a>{" "}
      <a href={href(["idle"], { user })}>{words.idle}</a>
    </>
  );
}

function columns(reasons: NullReasons, whole: number | null): Column<Row>[] {
  const make = columnsOf<Row>(reasons);
  const { fields: f, help } = words;
  const part = (row: Row) =>
    row.gpu_share == null || !whole ? null : (100 * row.gpu_share) / whole;
  return [
    make.text("user", f.user, 150),
    make.count("gpus", f.gpus, 75, { help: help.gpus }),
    make.count("gpu_share", f.gpu_share, 85, { help: help.gpu_share }),
    {
      key: "share_percent",
      title: f.share_percent,
      help: help.share_percent,
      width: 140,
      numeric: true,
      value: part,
      show: (row) => <Meter percent={part(row)} label={`${number(part(row) ?? 0, 1)} %`} />,
      reason: (row) => row.null_reasons?.["gpu_share"] ?? reasons["gpu_share"],
    },
    make.count("gpus_shared", f.gpus_shared, 80, { help: help.gpus_shared }),
    make.count("processes", f.processes, 95),
    make.percent("utilization", f.utilization, 140, { help: help.utilization }),
    make.size("memory_used_bytes", f.memory_used_bytes, 125, { help: help.memory_used_bytes }),
    {
      key: "links",
      title: words.links,
      width: 170,
      unsortable: true,
      value: (row) => row.user ?? "",
      show: (row) => <Links user={row.user ?? ""} />,
    },
    make.list("node_names", f.node_names, 200),
    make.list("gpu_names", f.gpu_names, 220),
    make.list("pods", f.pods, 200),
  ];
}

export default function Users(): JSX.Element {
  const filters = filterParams(NAMES);
  const asked = useList<Row>("api/v1/gpu/users", { ...filters, ...instantParams() });
  const whole = sumOf(asked.data ?? [], (row) => row.gpu_share).sum;
  return (
    <>
      <Filters of={FILTERS} names={NAMES} />
      <List
        of={asked}
        label={text.views.users}
        columns={columns(asked.meta.null_reasons ?? {}, whole)}
        rowKey={(row) => String(row.user)}
        rowHref={(row) => href(["gpus"], row.user ? { user: row.user } : {})}
        usualSort="-gpu_share"
        empty={Object.keys(filters).length > 0 ? text.list.none : words.empty}
      />
    </>
  );
}
