// Command tasks of a HakuRiver host.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta, Schemas } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { columnsOf } from "../../parts/columns.tsx";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { HostTimeText } from "../../parts/facts.tsx";
import { Filters } from "../../parts/filters.tsx";
import { Phase } from "../../parts/phase.tsx";
import { Table } from "../../parts/table.tsx";
import { namedParams } from "../../state/filters.ts";
import { here, href, param, setParams } from "../../state/place.ts";
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
  const make = columnsOf<HakuTask>(meta.null_reasons, (field, row) => !applies(field, row));
  const when = (field: "submitted_at" | "started_at" | "completed_at", title: string) =>
    make.text(field, title, 205, {
      show: (row) => <HostTimeText text={row[field] ?? ""} zone={row.time_zone} short />,
    });
  return {
    id: make.text("task_id", words.id, 190),
    status: make.text("status", words.status, 130, {
      show: (row) => <Phase of={row.status ?? ""} />,
    }),
    name: make.text("name", words.name, 190),
    owner: make.text("owner_username", words.user, 90),
    node: make.text("assigned_node", words.node, 110, {
      show: ({ assigned_node: node }) => (
        <a href={href(["nodes", node ?? ""], { source: "hakuriver" })}>{node}</a>
      ),
    }),
    cores: make.count("required_cores", words.cores, 70),
    memory: make.size("required_memory_bytes", words.memory, 90),
    gpus: make.list("required_gpus", words.gpuIds, 110, {
      value: (row) => row.required_gpus?.join(", ") ?? null,
      show: (row) => row.required_gpus?.join(", ") || text.none,
    }),
    submitted: when("submitted_at", words.submitted),
    started: when("started_at", words.started),
    completed: when("completed_at", words.completed),
    exit: make.count("exit_code", words.exitCode, 85),
    port: make.count("ssh_port", words.sshPort, 130),
    error: make.text("error_message", words.error, 200),
    command: make.text("command", words.command, 320),
  };
}

export function HakuTasks(): JSX.Element {
  const { task: open, ...chosen } = namedParams(FILTERS);
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
