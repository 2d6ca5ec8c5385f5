// One task of a HakuRiver host, of either kind: its fields, what it printed, what to run about it.
import type { JSX } from "preact";
import type { Meta } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Command, CopyButton } from "../../parts/command.tsx";
import { Facts, type FactRow, HostTimeText, reasonOf } from "../../parts/facts.tsx";
import { bytes } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { Phase } from "../../parts/phase.tsx";
import { visible } from "../../parts/shell.ts";
import { href } from "../../state/place.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/tasks.ts";
import { acts, applies } from "./gpuctl.ts";
import type { HakuTask } from "./haku.tsx";
import { LogView } from "./log.tsx";

export function HakuDetail(props: { id: string }): JSX.Element {
  const asked = useAsked<HakuTask>(`${HAKU}tasks/${encodeURIComponent(props.id)}`);
  const task = asked.data;
  return (
    <Panel
      title={task?.name ?? props.id}
      patch={{ task: null, log: null, tail: null, follow: null }}
    >
      <Shown of={asked}>
        {(one) => (
          <>
            <TaskFacts task={one} meta={asked.meta} />
            {one.command && (
              <>
                <h3>{words.command}</h3>
                <pre class="log short" tabIndex={0} aria-label={words.command}>
                  {visible(one.command)}
                </pre>
              </>
            )}
            <h3>{words.output}</h3>
            {one.task_type === "vps" ? (
              <p class="muted">{words.vpsNoLogs}</p>
            ) : (
              <LogView id={props.id} />
            )}
            <Acts task={one} id={props.id} />
          </>
        )}
      </Shown>
    </Panel>
  );
}

export function Acts(props: { task: HakuTask; id: string; vps?: boolean }): JSX.Element {
  const vps = props.vps ?? props.task.task_type === "vps";
  return (
    <>
      <h3>{words.commands}</h3>
      <p class="muted">{words.commandsHaku}</p>
      {acts(props.id, props.task.status, vps).map(({ act, line }) => (
        <Command key={act} title={words[act]} line={line} />
      ))}
    </>
  );
}

// Makes rows of fields: what does not apply is a dash, what is not known says why.
function rowsOf(task: HakuTask, meta: Meta) {
  type Field = keyof HakuTask & string;
  const row = (field: Field, title: string, shown: JSX.Element | string | null): FactRow => {
    if (shown !== null) return [title, shown];
    if (applies(field, task)) return [title, null, reasonOf(task, meta, field)];
    return [title, <span class="muted">–</span>];
  };
  const plain = (field: Field, title: string) => {
    const value = task[field] as string | number | null | undefined;
    return row(field, title, value === null || value === undefined ? null : String(value));
  };
  const instant = (field: Field, title: string) => {
    const value = task[field] as string | null | undefined;
    return row(field, title, value ? <HostTimeText text={value} zone={task.time_zone} /> : null);
  };
  return { row, plain, instant };
}

// All fields that the requirement names, and the others that the host tells.
export function TaskFacts(props: { task: HakuTask; meta: Meta }): JSX.Element {
  const { task, meta } = props;
  const { row, plain, instant } = rowsOf(task, meta);
  const node = task.assigned_node;
  const memory = task.required_memory_bytes;
  const gpus = task.required_gpus;
  const id = (
    <>
      {task.task_id} <CopyButton text={task.task_id ?? ""} what={words.id} />
    </>
  );
  const link = node ? <a href={href(["nodes", node], { source: "hakuriver" })}>{node}</a> : null;
  return (
    <Facts
      rows={[
        [words.id, id],
        [words.status, <Phase key="s" of={task.status ?? "unknown"} />],
        plain("owner_username", words.user),
        row("assigned_node", words.node, link),
        plain("required_cores", words.cores),
        row(
          "required_memory_bytes",
          words.memory,
          typeof memory === "number" ? bytes(memory) : null,
        ),
        row("required_gpus", words.gpuIds, gpus ? gpus.join(", ") || text.none : null),
        plain("target_numa_node_id", words.numa),
        instant("submitted_at", words.submitted),
        instant("started_at", words.started),
        instant("completed_at", words.completed),
        plain("exit_code", words.exitCode),
        plain("error_message", words.error),
        plain("container_name", words.container),
        plain("ssh_port", words.sshPort),
        ...(task.task_type === undefined ? [] : [plain("task_type", words.type)]),
        ...(task.batch_id ? [plain("batch_id", words.batch)] : []),
        ...(task.approval_status ? [plain("approval_status", words.approval)] : []),
        ...(task.env_vars?.length ? [[words.env, task.env_vars.join(", ")] as const] : []),
      ]}
    />
  );
}
