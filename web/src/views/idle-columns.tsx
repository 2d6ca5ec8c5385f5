// The columns of the three lists of the view "idle".
import type { NullReasons, Schemas } from "../api/client.ts";
import { columnsOf } from "../parts/columns.tsx";
import { time } from "../parts/format.ts";
import type { Column } from "../parts/table.tsx";
import { State } from "../parts/value.tsx";
import { here } from "../state/place.ts";
import { text } from "../text/en.ts";
import { idleText as words } from "../text/en/idle.ts";
import { ACCOUNTS } from "./ledger.ts";

type Account = Schemas["LedgerAccount"];
type Holder = Schemas["IdleGpu"];
type Missing = Schemas["MissingGpu"];

const f = words.fields;

// Who of them held GPUs idle: the list of holders with this row's names.
export function accountHref(row: Account): string {
  return here({
    show: null,
    by: null,
    sort: null,
    ...(row.node_name ? { node: row.node_name } : {}),
    ...(row.gpu_name ? { model: row.gpu_name } : {}),
    ...(row.namespace ? { namespace: row.namespace } : {}),
    ...(row.pod ? { pod: row.pod } : {}),
    ...(row.user ? { user: row.user } : {}),
  });
}

function nameColumns(by: string, reasons: NullReasons): Column<Account>[] {
  const make = columnsOf<Account>(reasons);
  // No pod or no process: that is known, and is no gap.
  const whose = (key: "namespace" | "pod" | "user", title: string, width: number) =>
    make.text(key, title, width, { value: (row) => row[key] ?? words.nobody });
  switch (by) {
    case "node":
      return [make.text("node_name", f.node_name, 170)];
    case "model":
      return [make.text("gpu_name", f.gpu_name, 220)];
    case "namespace":
      return [whose("namespace", f.namespace, 170)];
    case "pod":
      return [whose("pod", f.pod, 230), whose("namespace", f.namespace, 120)];
    default:
      return [whose("user", f.user, 170)];
  }
}

export function accountColumns(by: string, reasons: NullReasons): Column<Account>[] {
  const make = columnsOf<Account>(reasons);
  const hours = (key: `${(typeof ACCOUNTS)[number]}_seconds` | "total_seconds", title: string) =>
    make.hours(key, title, 105, { help: words.hours });
  return [
    ...nameColumns(by, reasons),
    make.count("gpus", f.gpus, 70),
    hours("total_seconds", f.gpu_hours),
    ...ACCOUNTS.map((one) => hours(`${one}_seconds`, text.states[one] ?? one)),
    make.percent("busy_percent", f.busy_percent, 140, { help: words.help.busy_percent }),
    make.money("cost", f.cost, 90),
    make.money("idle_cost", f.idle_cost, 90),
  ];
}

export function holderColumns(reasons: NullReasons): Column<Holder>[] {
  const make = columnsOf<Holder>(reasons);
  const h = words.help;
  return [
    make.text("node_name", f.node_name, 120),
    make.text("gpu_id", f.gpu_id, 55),
    make.text("pod", f.pod, 220),
    make.text("namespace", f.namespace, 110),
    make.list("users", f.users, 90),
    make.text("idle_now", f.idle_now, 100, {
      show: (row) =>
        row.idle_now === 1 ? <State state="idle_held" label={words.yes} /> : words.no,
    }),
    make.time("idle_since", f.idle_since, 165, {
      help: h.idle_since,
      // Of what is idle no more there is no such time.
      value: (row) => (row.idle_now === 0 ? "" : row.idle_since),
      show: (row) => (row.idle_since ? time(row.idle_since) : ""),
    }),
    make.hours("idle_seconds", f.idle_hours, 115, { help: h.idle_hours }),
    make.hours("busy_seconds", f.busy_hours, 105),
    make.percent("idle_percent", f.idle_percent, 130, { help: h.idle_percent }),
    make.money("idle_cost", f.idle_cost, 90),
    make.text("gpu_name", f.gpu_name, 190),
  ];
}

export function missingColumns(reasons: NullReasons): Column<Missing>[] {
  const make = columnsOf<Missing>(reasons);
  return [
    make.text("node_name", f.node_name, 130),
    make.text("gpu_id", f.gpu_id, 60),
    make.text("gpu_name", f.gpu_name, 190),
    make.text("what", f.what, 120, { show: (row) => words.what[row.what ?? ""] ?? row.what }),
    make.text("evidence", f.evidence, 240),
    make.time("last_seen", f.last_seen, 165),
    make.time("missing_since", f.missing_since, 165),
    make.duration("missing_seconds", f.missing_seconds, 80),
    make.text("owners", f.owners, 200, {
      value: (row) =>
        row.owners
          ?.map((one) => [one.namespace, one.pod].filter((name) => name).join("/"))
          .join(" ") ?? null,
    }),
    make.count("last_xid", f.last_xid, 80),
    make.count("last_temperature", f.last_temperature, 80),
  ];
}
