// Pods that ask for GPUs and the Jobs that made them, as kube-state-metrics tells of them.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { nodeHref } from "../../parts/links.ts";
import { useMemo } from "preact/hooks";
import type { Meta, Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { columnsOf } from "../../parts/columns.tsx";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { reasonOf } from "../../parts/facts.tsx";
import { Filters } from "../../parts/filters.tsx";
import { Phase } from "../../parts/phase.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { filterParams } from "../../state/filters.ts";
import { here, param, setParams } from "../../state/place.ts";
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
  // Null without a reason: there is no such thing, as the end of what runs.
  const make = columnsOf<Task>(
    meta.null_reasons,
    (field, row) => reasonOf(row, meta, field) === undefined,
  );
  return [
    make.text("name", words.name, 230),
    make.text("kind", words.kind, 60),
    make.text("namespace", words.namespace, 110),
    make.text("phase", words.phase, 120, { show: (row) => <Phase of={row.phase ?? ""} /> }),
    make.text("reason", words.reason, 140),
    make.list("node_names", words.node, 120, {
      value: (row) => (row.node_names ?? []).join(", ") || null,
      show: (row) => <NodeLinks names={row.node_names ?? []} />,
      absent: () => true,
    }),
    make.count("gpus_requested", words.requested, 115, { help: words.requestedHelp }),
    make.count("gpus_held", words.held, 100, { help: words.heldHelp }),
    make.count("cores_requested", words.cores, 70),
    make.size("memory_requested_bytes", words.memory, 90),
    make.time("submitted", words.submitted, 110),
    make.time("started", words.started, 110),
    make.time("completed", words.completed, 110),
    make.count("exit_code", words.exitCode, 90),
    make.text("error", words.error, 110),
    make.count("restarts", words.restarts, 85),
    make.text("owner_kind", words.owner, 110),
  ];
}

export function NodeLinks(props: { names: readonly string[] }): JSX.Element {
  return (
    <>
      {props.names.map((name, i) => (
        <span key={name}>
          {i > 0 ? ", " : ""}
          <Link to={nodeHref(name)}>{name}</Link>
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
        names={FILTERS}
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
          <CsvButton name="tasks.csv" columns={columns} rows={rows} sort={sort} />
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
