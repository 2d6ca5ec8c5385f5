// Pods that ask for GPUs and the Jobs that made them, as kube-state-metrics tells of them.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta, Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { save, toCsv } from "../../parts/csv.ts";
import { reasonOf } from "../../parts/facts.tsx";
import { Filters } from "../../parts/filters.tsx";
import { bytes, number, time } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { type Column, sortRows, Table } from "../../parts/table.tsx";
import { filterParams, here } from "../../state/here.ts";
import { href, param, setParams } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/tasks.ts";
import { SourceChoice } from "../nodes/parts.tsx";
import { KubeDetail } from "./kubedetail.tsx";
import { parseTask } from "./kubectl.ts";

type Task = Schemas["GpuTask"];
const FILTERS = ["phase", "namespace", "kind", "node", "name", "reason", "model", "owner"] as const;
const PHASES = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

export function taskColumns(meta: Meta): Column<Task>[] {
  const common = (key: keyof Task & string) => ({
    key,
    reason: (row: Task) => reasonOf(row, meta, key),
    // Null without a reason: there is no such thing, as the end of what runs.
    absent: (row: Task) => reasonOf(row, meta, key) === undefined,
  });
  const figure = (
    key: keyof Task & string,
    title: string,
    width: number,
    show: (value: number) => string = number,
    help?: string,
  ): Column<Task> => ({
    ...common(key),
    title,
    width,
    numeric: true,
    value: (row) => row[key] as number | null | undefined,
    show: (row) => show(row[key] as number),
    ...(help === undefined ? {} : { help }),
  });
  const words_ = (key: keyof Task & string, title: string, width: number): Column<Task> => ({
    ...common(key),
    title,
    width,
    value: (row) => row[key] as string | null | undefined,
  });
  const instant = (key: keyof Task & string, title: string): Column<Task> => ({
    ...words_(key, title, 110),
    show: (row) => time(row[key] as string),
  });
  return [
    words_("name", words.name, 230),
    words_("kind", words.kind, 60),
    words_("namespace", words.namespace, 110),
    { ...words_("phase", words.phase, 120), show: (row) => <Phase of={row.phase ?? ""} /> },
    words_("reason", words.reason, 140),
    {
      key: "node_names",
      title: words.node,
      width: 120,
      value: (row) => (row.node_names ?? []).join(", ") || null,
      show: (row) => <NodeLinks names={row.node_names ?? []} />,
      absent: () => true,
    },
    figure("gpus_requested", words.requested, 105, number, words.requestedHelp),
    figure("gpus_held", words.held, 100, number, words.heldHelp),
    figure("cores_requested", words.cores, 70),
    figure("memory_requested_bytes", words.memory, 90, bytes),
    instant("submitted", words.submitted),
    instant("started", words.started),
    instant("completed", words.completed),
    figure("exit_code", words.exitCode, 90),
    words_("error", words.error, 110),
    figure("restarts", words.restarts, 85),
    words_("owner_kind", words.owner, 110),
  ];
}

export function NodeLinks(props: { names: readonly string[] }): JSX.Element {
  return (
    <>
      {props.names.map((name, i) => (
        <span key={name}>
          {i > 0 ? ", " : ""}
          <a href={href(["nodes", name])}>{name}</a>
        </span>
      ))}
    </>
  );
}

export function KubeTasks(): JSX.Element {
  const chosen = filterParams(FILTERS);
  const asked = useAsked<Task[]>("api/v1/gpu/tasks", { ...chosen, ...instantParams() });
  const columns = useMemo(() => taskColumns(asked.meta), [asked.meta]);
  const sort = param("sort");
  const open = parseTask(param("task") ?? "");
  const rows = asked.data;
  return (
    <>
      <Filters
        of={[
          { name: "name", label: words.name },
          { name: "phase", label: words.phase, options: PHASES.map((one) => [one, one] as const) },
          {
            name: "kind",
            label: words.kind,
            options: [
              ["Pod", "Pod"],
              ["Job", "Job"],
            ],
          },
          {
            name: "namespace",
            label: words.namespace,
            hints: namesOf(rows, (row) => [row.namespace]),
          },
          { name: "node", label: words.node, hints: namesOf(rows, (row) => row.node_names ?? []) },
        ]}
      >
        <span class="filters-end">
          <SourceChoice
            clear={["task", "status", "sort", "user", "kind", "phase", "log", "tail"]}
          />
          <button
            type="button"
            disabled={rows === undefined}
            onClick={() => save("tasks.csv", toCsv(columns, sortRows(rows ?? [], columns, sort)))}
          >
            {text.table.csv}
          </button>
        </span>
      </Filters>
      <div class={open ? "split open" : "split"}>
        {open && <KubeDetail key={param("task")} namespace={open.namespace} name={open.name} />}
        <div>
          <Shown of={asked}>
            {(tasks) => (
              <Table
                label={text.views.tasks}
                columns={columns}
                rows={tasks}
                rowKey={(row) => `${row.kind} ${row.namespace}/${row.name}`}
                rowHref={(row) => here({ task: `${row.namespace}/${row.name}` })}
                sort={sort}
                onSort={(by) => setParams({ sort: by })}
                empty={Object.keys(chosen).length ? words.emptyFiltered : words.empty}
              />
            )}
          </Shown>
        </div>
      </div>
    </>
  );
}

function namesOf(
  rows: readonly Task[] | undefined,
  of: (row: Task) => readonly (string | null | undefined)[],
): string[] {
  const names = (rows ?? []).flatMap((row) => of(row)).filter((name) => typeof name === "string");
  return [...new Set(names)].sort();
}
