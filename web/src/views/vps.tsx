// VPS of a HakuRiver host: where each runs, what it has, and how to get into it.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Meta } from "../api/client.ts";
import { findFeatures, HAKU, hakuThere } from "../api/features.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { Command, CopyButton } from "../parts/command.tsx";
import { CsvButton } from "../parts/csvbutton.tsx";
import { Filters } from "../parts/filters.tsx";
import { Panel } from "../parts/panel.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { looked } from "../state/news.ts";
import { namedParams } from "../state/filters.ts";
import { here, param, setParams } from "../state/place.ts";
import { text } from "../text/en.ts";
import { words as phases } from "../text/en/phases.ts";
import { words as tasks } from "../text/en/tasks.ts";
import { words } from "../text/en/vps.ts";
import { NoPast } from "./nodes/parts.tsx";
import { hakuColumns, type HakuTask, STATUSES } from "./tasks/haku.tsx";
import { Acts, HakuDetail, TaskFacts } from "./tasks/hakudetail.tsx";
import { sshLine } from "./tasks/ssh.ts";
import "../style/nodes.css";

export default function Vps(): JSX.Element {
  useEffect(() => {
    findFeatures();
    looked.value = "hakuriver";
    return () => {
      looked.value = "prometheus";
    };
  }, []);
  if (hakuThere.value === null) return <p class="loading">{text.loading}</p>;
  return hakuThere.value ? <VpsList /> : <NotConfigured />;
}

function NotConfigured(): JSX.Element {
  return (
    <div class="empty">
      <h2>{words.noConfigTitle}</h2>
      <p>{words.noConfig}</p>
      <Command title={words.example} line="HAKURIVER_URL=http://10.9.0.1:8000" />
      <p>{words.noConfigMore}</p>
    </div>
  );
}

// The list of VPS says of no row that it is one.
function asVps(rows: readonly HakuTask[]): HakuTask[] {
  return rows.map((row) => ({ task_type: "vps", ...row }));
}

function columnsOf(meta: Meta): Column<HakuTask>[] {
  const all = hakuColumns(meta);
  const port: Column<HakuTask> = {
    ...all.port,
    show: (row) => (
      <span>
        {row.ssh_port} <CopyButton text={String(row.ssh_port)} what={words.copyPort} />
      </span>
    ),
  };
  const ssh: Column<HakuTask> = {
    key: "ssh",
    title: words.ssh,
    width: 320,
    value: (row) => sshLine(row.assigned_node, row.ssh_port),
    absent: () => true,
    show: (row) => {
      const line = sshLine(row.assigned_node, row.ssh_port) ?? "";
      return (
        <span>
          <CopyButton text={line} what={line} /> <code>{line}</code>
        </span>
      );
    },
  };
  const { id, status, name, owner, node, cores, memory, gpus } = all;
  const { submitted, started, completed, error } = all;
  const times = [started, submitted, completed];
  return [id, status, node, port, ssh, cores, memory, gpus, name, owner, ...times, error];
}

const FILTERS = ["status", "node", "user", "name"] as const;

function VpsList(): JSX.Element {
  const all = param("all") === "1";
  const chosen = namedParams(FILTERS);
  const asked = useAsked<HakuTask[]>(HAKU + "vps", all ? { ...chosen, all: "true" } : chosen);
  const columns = useMemo(() => columnsOf(asked.meta), [asked.meta]);
  const rows = useMemo(() => (asked.data ? asVps(asked.data) : undefined), [asked.data]);
  const sort = param("sort");
  const id = param("task");
  const open = rows?.find((row) => row.task_id === id);
  const filtered = Object.keys(chosen).length > 0;
  return (
    <>
      <Filters
        of={[
          { name: "name", label: tasks.name },
          {
            name: "status",
            label: tasks.status,
            options: STATUSES.map((one) => [one, phases[one] ?? one] as const),
          },
          { name: "node", label: tasks.node },
          { name: "user", label: tasks.user },
        ]}
      >
        <label class="check">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setParams({ all: event.currentTarget.checked ? "1" : null })}
          />
          {words.all}
        </label>
        <span class="filters-end">
          <CsvButton name="vps.csv" columns={columns} rows={rows} sort={sort} />
        </span>
      </Filters>
      <NoPast />
      <div class={id !== null && rows ? "split open" : "split"}>
        {open && <Detail key={open.task_id} vps={open} meta={asked.meta} />}
        {id !== null && rows && !open && <HakuDetail key={id} id={id} />}
        <div>
          <Shown of={asked}>
            {() => (
              <Table
                label={text.views.vps}
                columns={columns}
                rows={rows ?? []}
                rowKey={(row) => row.task_id ?? ""}
                rowHref={(row) => here({ task: row.task_id })}
                sort={sort}
                onSort={(by) => setParams({ sort: by })}
                empty={filtered ? words.emptyFiltered : all ? words.emptyAll : words.empty}
              />
            )}
          </Shown>
        </div>
      </div>
    </>
  );
}

function Detail(props: { vps: HakuTask; meta: Meta }): JSX.Element {
  const { vps, meta } = props;
  const line = sshLine(vps.assigned_node, vps.ssh_port);
  return (
    <Panel title={vps.name ?? vps.task_id ?? ""} patch={{ task: null }}>
      {line !== null && (
        <>
          <h3>{words.connect}</h3>
          <Command title={words.sshPort} line={String(vps.ssh_port)} />
          <Command title={words.ssh} line={line} />
          <p class="muted">{words.sshHelp}</p>
        </>
      )}
      <TaskFacts task={vps} meta={meta} />
      <Acts task={vps} id={vps.task_id ?? ""} vps />
    </Panel>
  );
}
