// One pod or Job: all that is known of it, its pods and GPUs, and what to run about it.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { gpuHref } from "../../parts/links.ts";
import type { Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Command } from "../../parts/command.tsx";
import { Facts, type FactRow, PlainTable, reasonOf, Time } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { Phase } from "../../parts/phase.tsx";
import { Unknown, Value } from "../../parts/value.tsx";
import { here } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/tasks.ts";
import { degrees } from "../nodes/cards.tsx";
import { PercentMeter } from "../nodes/parts.tsx";
import { NodeLinks } from "./kube.tsx";
import { deleteLine, describeLine, logsLine } from "./kubectl.ts";

type Detail = Schemas["GpuTaskDetail"];

export function KubeDetail(props: { namespace: string; name: string }): JSX.Element {
  const { namespace, name } = props;
  const path = `api/v1/gpu/tasks/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const asked = useAsked<Detail>(path, instantParams());
  return (
    <Panel title={`${namespace}/${name}`} patch={{ task: null }}>
      <Shown of={asked}>
        {(task) => (
          <>
            <TaskFacts task={task} why={(field) => reasonOf(task, asked.meta, field)} />
            <h3>{words.gpus}</h3>
            <Gpus task={task} why={reasonOf(task, asked.meta, "gpus")} />
            {task.kind === "Job" && (
              <>
                <h3>{words.pods}</h3>
                <Pods task={task} namespace={namespace} />
              </>
            )}
            <Commands task={task} namespace={namespace} name={name} />
          </>
        )}
      </Shown>
    </Panel>
  );
}

function TaskFacts(props: {
  task: Detail;
  why: (field: string) => string | undefined;
}): JSX.Element {
  const { task, why } = props;
  const plain = (field: keyof Detail & string, title: string): FactRow => {
    const value = task[field] as string | number | null | undefined;
    return [title, value === null || value === undefined ? null : String(value), why(field)];
  };
  const instant = (field: keyof Detail & string, title: string): FactRow => {
    const value = task[field] as string | null | undefined;
    return [title, value ? <Time iso={value} /> : null, why(field)];
  };
  const memory = task.memory_requested_bytes;
  return (
    <Facts
      sparse
      rows={[
        [words.phase, <Phase key="p" of={task.phase ?? "Unknown"} />],
        plain("reason", words.reason),
        plain("kind", words.kind),
        [
          words.owner,
          task.owner_kind ? `${task.owner_kind} ${task.owner_name ?? ""}` : null,
          why("owner_kind"),
        ],
        [
          words.job,
          task.job ? (
            <a href={here({ task: `${task.namespace}/${task.job}` })}>{task.job}</a>
          ) : null,
          why("job"),
        ],
        [words.node, task.node_names?.length ? <NodeLinks names={task.node_names} /> : null],
        plain("gpus_requested", words.requested),
        plain("gpus_held", words.held),
        plain("cores_requested", words.cores),
        [
          words.memory,
          memory === null || memory === undefined ? null : bytes(memory),
          why("memory_requested_bytes"),
        ],
        [words.models, (task.gpu_names ?? []).join(", ") || null],
        instant("submitted", words.submitted),
        instant("started", words.started),
        instant("completed", words.completed),
        plain("exit_code", words.exitCode),
        plain("error", words.error),
        plain("restarts", words.restarts),
        plain("pods_active", words.podsActive),
        plain("pods_succeeded", words.podsSucceeded),
        plain("pods_failed", words.podsFailed),
        plain("completions", words.completions),
        plain("parallelism", words.parallelism),
      ]}
    />
  );
}

function Gpus(props: { task: Detail; why: string | undefined }): JSX.Element {
  const gpus = props.task.gpus;
  if (gpus === null || gpus === undefined) return <Unknown reason={props.why} />;
  if (gpus.length === 0) return <p class="muted">{words.noGpus}</p>;
  return (
    <PlainTable
      label={words.gpus}
      columns={[
        { title: words.gpu },
        { title: words.model },
        { title: words.utilization, numeric: true },
        { title: words.gpuMemory, numeric: true },
        { title: words.temperature, numeric: true },
      ]}
      rows={gpus.map((gpu, i) => ({
        key: String(i),
        cells: [
          <Link key="g" to={gpuHref(gpu.node_name, gpu.gpu_id)}>
            {gpu.node_name ?? text.unknown}/{gpu.gpu_id ?? text.unknown}
          </Link>,
          <Value key="n" value={gpu.gpu_name} />,
          <PercentMeter key="u" value={gpu.utilization} />,
          <Value
            key="m"
            value={
              gpu.memory_used_bytes === null || gpu.memory_used_bytes === undefined
                ? null
                : bytes(gpu.memory_used_bytes)
            }
          />,
          <Value key="t" value={degrees(gpu.temperature)} />,
        ],
      }))}
    />
  );
}

function Pods(props: { task: Detail; namespace: string }): JSX.Element {
  const pods = props.task.pods ?? [];
  if (pods.length === 0) return <p class="muted">{words.noPods}</p>;
  return (
    <PlainTable
      label={words.pods}
      columns={[
        { title: words.pod },
        { title: words.phase },
        { title: words.reason },
        { title: words.node },
        { title: words.started },
        { title: words.completed },
        { title: words.exitCode, numeric: true },
        { title: words.error },
      ]}
      rows={pods.map((pod, i) => ({
        key: String(i),
        cells: [
          <a key="n" href={here({ task: `${props.namespace}/${pod.name}` })}>
            {pod.name}
          </a>,
          <Phase key="p" of={pod.phase ?? "Unknown"} />,
          pod.reason,
          pod.node_name ? <NodeLinks names={[pod.node_name]} /> : null,
          pod.started ? <Time iso={pod.started} /> : null,
          pod.completed ? <Time iso={pod.completed} /> : null,
          pod.exit_code === null || pod.exit_code === undefined ? null : number(pod.exit_code),
          pod.error,
        ],
      }))}
    />
  );
}

// A Job stands before a pod of its name, so what was asked for is what the answer says it is.
function Commands(props: { task: Detail; namespace: string; name: string }): JSX.Element {
  const { task, namespace, name } = props;
  const of = { kind: task.kind ?? "Pod", namespace, name };
  const owner = task.owner_kind ?? of.kind;
  const again = of.kind === "Pod" && owner !== "Pod" && task.phase !== "Succeeded";
  return (
    <>
      <h3>{words.commands}</h3>
      <p class="muted">{words.commandsHelp}</p>
      <Command title={words.logs} line={logsLine(of)} />
      {of.kind === "Pod" && (task.restarts ?? 0) > 0 && (
        <Command title={words.logsBefore} line={logsLine(of, true)} />
      )}
      <Command title={words.describe} line={describeLine(of)} />
      <Command title={words.delete} line={deleteLine(of)} />
      {again && <p class="muted">{words.ownedBy(owner, task.owner_name ?? "")}</p>}
    </>
  );
}
