// Command tasks of a HakuRiver host.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta, Schemas } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { columnsFor } from "../../parts/fieldcolumns.tsx";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { HostTimeText } from "../../parts/facts.tsx";
import { Filters } from "../../parts/filters.tsx";
import { bytes } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { filterParams, here } from "../../state/here.ts";
import { href, param, setParams } from "../../state/place.ts";
import { text } from "../../text/en.ts";
import { words as phases } from "../../text/en/phases.ts";
import { words } from "../../text/en/tasks.ts";
import { NoPast, SourceChoice } from "../nodes/parts.tsx";
import { applies } from "./gpuctl.ts";
import { HakuDetail } from "./hakudetail.tsx";

export type HakuTask = Schemas["HakuRiverTask"];
export const STATUSES = [
  "pending",
  "assigning",
  "running",
  "paused",
  "completed",
  "failed",
  "killed",
  "killed_oom",
  "lost",
  "stopped",
  "pending_approval",
  "rejected",
];
const FILTERS = ["status", "node", "user", "name", "task"] as const;

// Of tasks and VPS, by names of their own: each view has those that it needs.
export function hakuColumns(meta: Meta) {
  const { said, figure } = columnsFor<HakuTask>(meta, (field, row) => !applies(field, row));
  const when = (value: string, row: HakuTask) => (
    <HostTimeText text={value} zone={row.time_zone} short />
  );
  const node = (value: string) => (
    <a href={href(["nodes", value], { source: "hakuriver" })}>{value}</a>
  );
  return {
    id: said("task_id", words.id, 190),
    status: said("status", words.status, 130, (value) => <Phase of={value} />),
    name: said("name", words.name, 190),
    owner: said("owner_username", words.user, 90),
    node: said("assigned_node", words.node, 110, node),
    cores: figure("required_cores", words.cores, 70),
    memory: figure("required_memory_bytes", words.memory, 90, bytes),
    gpus: {
      ...said("required_gpus", words.gpuIds, 110),
      value: (row: HakuTask) => row.required_gpus?.join(", ") ?? null,
      show: (row: HakuTask) => row.required_gpus?.join(", ") || text.none,
    } as Column<HakuTask>,
    submitted: said("submitted_at", words.submitted, 205, when),
    started: said("started_at", words.started, 205, when),
    completed: said("completed_at", words.completed, 205, when),
    exit: figure("exit_code", words.exitCode, 85),
    port: figure("ssh_port", words.sshPort, 130, String),
    error: said("error_message", words.error, 200),
    command: said("command", words.command, 320),
  };
}

export function HakuTasks(): JSX.Element {
  const { task: open, ...chosen } = filterParams(FILTERS);
  const asked = useAsked<HakuTask[]>(HAKU + "tasks", chosen);
  const columns = useMemo(() => {
    const all = Object.values(hakuColumns(asked.meta));
    return all.filter((column) => column.key !== "ssh_port"); // that of VPS alone
  }, [asked.meta]);
  const sort = param("sort");
  const rows = asked.data;
  const id = open?.[0];
  return (
    <>
      <Filters
        of={[
          { name: "name", label: words.name },
          {
            name: "status",
            label: words.status,
            options: STATUSES.map((one) => [one, phases[one] ?? one] as const),
          },
          { name: "node", label: words.node },
          { name: "user", label: words.user },
        ]}
      >
        <span class="filters-end">
          <SourceChoice
            clear={["task", "status", "sort", "user", "name", "log", "tail", "follow"]}
          />
          <CsvButton name="hakuriver-tasks.csv" columns={columns} rows={rows} sort={sort} />
        </span>
      </Filters>
      <NoPast />
      <div class={id ? "split open" : "split"}>
        {id && <HakuDetail key={id} id={id} />}
        <div>
          <Shown of={asked}>
            {(tasks) => (
              <Table
                label={text.views.tasks}
                columns={columns}
                rows={tasks}
                rowKey={(row) => row.task_id ?? ""}
                rowHref={(row) => here({ task: row.task_id })}
                sort={sort}
                onSort={(by) => setParams({ sort: by })}
                empty={Object.keys(chosen).length ? words.emptyFiltered : words.emptyHaku}
              />
            )}
          </Shown>
        </div>
      </div>
    </>
  );
}
