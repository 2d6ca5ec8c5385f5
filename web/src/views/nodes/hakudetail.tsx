// One node of a HakuRiver host.
import type { JSX } from "preact";
import type { Meta, Schemas } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Facts, HostTimeText, Kept, PlainTable, reasonOf } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { Meter, Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { words } from "../../text/en/nodes.ts";
import { AllocationTable, footRows } from "./allocated.tsx";
import { degrees } from "./cards.tsx";
import type { HakuNode } from "./hakulist.tsx";
import { HakuMinute } from "./minute.tsx";
import { NoPast, PercentMeter, SourceChoice, useTitle } from "./parts.tsx";
import { sumOf } from "./sums.ts";

type Task = Schemas["HakuRiverTask"];

export function HakuNodeDetail(props: { name: string }): JSX.Element {
  const { name } = props;
  useTitle(name);
  const asked = useAsked<HakuNode[]>(HAKU + "nodes", { node: name });
  return (
    <>
      <p>
        <a href={href(["nodes"], { source: "hakuriver" })}>{words.all}</a>
      </p>
      <div class="node-head">
        <h2>{name}</h2>
        <SourceChoice />
      </div>
      <NoPast />
      <Shown of={asked}>
        {([node]) =>
          node === undefined ? (
            <p class="empty">{words.notThere(name)}</p>
          ) : (
            <>
              <State node={node} meta={asked.meta} />
              <HakuMinute name={name} title={words.minute} />
              <Gpus node={node} />
              <Tasks name={name} node={node} />
              <Numa node={node} />
            </>
          )
        }
      </Shown>
    </>
  );
}

function shown(value: number | null | undefined, format: (value: number) => string = String) {
  return value === null || value === undefined ? null : format(value);
}

function State(props: { node: HakuNode; meta: Meta }): JSX.Element {
  const { node } = props;
  const why = (field: string) => reasonOf(node, props.meta, field);
  const memory = shown(node.memory_used_bytes, bytes);
  const total = shown(node.memory_total_bytes, bytes);
  return (
    <section class="section">
      {node.status === "offline" && <p class="kept">{words.notFresh}</p>}
      <Facts
        rows={[
          [words.status, <Phase key="s" of={node.status ?? "unknown"} />],
          [
            words.heartbeat,
            node.last_heartbeat ? (
              <HostTimeText text={node.last_heartbeat} zone={node.time_zone} />
            ) : null,
            why("last_heartbeat"),
          ],
          [
            words.cpu,
            <PercentMeter key="c" value={node.cpu_percent} reason={why("cpu_percent")} />,
          ],
          [
            words.memory,
            memory === null || total === null ? null : (
              <Meter percent={node.memory_percent} label={`${memory} ${words.of} ${total}`} />
            ),
            why("memory_used_bytes"),
          ],
          [words.cores, shown(node.total_cores), why("total_cores")],
          [words.coresFree, shown(node.available_cores), why("available_cores")],
          [words.inUse, shown(node.cores_in_use), why("cores_in_use")],
          [words.avgTemp, degrees(node.current_avg_temp), why("current_avg_temp")],
          [words.maxTemp, degrees(node.current_max_temp), why("current_max_temp")],
          [words.runner, node.runner_version, why("runner_version")],
        ]}
      />
    </section>
  );
}

function Numa(props: { node: HakuNode }): JSX.Element {
  const numa = props.node.numa_topology ?? [];
  return (
    <section class="section">
      <h3>{words.numa}</h3>
      {numa.length === 0 ? (
        <p class="muted">{words.noHakuNuma}</p>
      ) : (
        <PlainTable
          label={words.numa}
          columns={[
            { title: words.numaNode },
            { title: words.cores, numeric: true },
            { title: words.memory, numeric: true },
          ]}
          rows={numa.map((one, i) => ({
            key: String(i),
            cells: [
              <Value key="n" value={one.numa_node} />,
              <Value key="c" value={one.cores} />,
              <Value key="m" value={shown(one.memory_bytes, bytes)} />,
            ],
          }))}
        />
      )}
    </section>
  );
}

function Gpus(props: { node: HakuNode }): JSX.Element {
  const gpus = props.node.gpu_info ?? [];
  if (gpus.length === 0) {
    return (
      <section class="section">
        <h3>{words.gpus}</h3>
        <p class="muted">{words.hakuNoGpus}</p>
      </section>
    );
  }
  return (
    <section class="section">
      <h3>{words.gpus}</h3>
      <PlainTable
        label={words.gpus}
        columns={[
          { title: words.gpu },
          { title: words.gpuName },
          { title: words.utilization, numeric: true },
          { title: words.gpuMemory, numeric: true },
          { title: words.temperature, numeric: true },
          { title: words.powerOf, numeric: true },
          { title: words.fan, numeric: true },
          { title: words.clock, numeric: true },
          { title: words.driver },
        ]}
        rows={gpus.map((gpu, i) => ({
          key: String(i),
          cells: [
            <Value key="i" value={gpu.gpu_id} />,
            <Value key="n" value={gpu.name} />,
            <PercentMeter key="u" value={gpu.utilization} />,
            <Value key="m" value={shown(gpu.memory_used_bytes, bytes)} />,
            <Value key="t" value={degrees(gpu.temperature)} />,
            <Value key="p" value={shown(gpu.power, (n) => `${number(n, 0)} W`)} />,
            <Value key="f" value={shown(gpu.fan_speed, (n) => `${number(n, 0)} %`)} />,
            <Value key="c" value={shown(gpu.graphics_clock, (n) => `${number(n, 0)} MHz`)} />,
            <Value key="d" value={gpu.driver_version} />,
          ],
        }))}
      />
    </section>
  );
}

// What has a node's cores: VPS too.
function Tasks(props: { name: string; node: HakuNode }): JSX.Element {
  const params = { node: props.name, status: ["running", "paused", "assigning"] };
  const tasks = useAsked<Task[]>(HAKU + "tasks", params, 5000, true);
  const vps = useAsked<Task[]>(HAKU + "vps", { node: props.name }, 5000, true);
  return (
    <section class="section">
      <h3>{words.hakuTasks}</h3>
      <Kept of={tasks}>
        {(commands) => (
          <Kept of={vps}>
            {(others) => <Rows tasks={[...commands, ...others]} node={props.node} />}
          </Kept>
        )}
      </Kept>
    </section>
  );
}

function Rows(props: { tasks: readonly Task[]; node: HakuNode }): JSX.Element {
  const { tasks, node } = props;
  if (tasks.length === 0) return <p class="muted">{words.noHakuTasks}</p>;
  const rows = tasks.map((task) => ({
    key: task.task_id ?? "",
    cells: [
      <a key="t" href={href(["tasks"], { source: "hakuriver", task: task.task_id })}>
        {task.name ?? task.task_id}
      </a>,
      <Phase key="p" of={task.status ?? "unknown"} />,
      <Value key="g" value={task.required_gpus?.length} />,
      <Value key="c" value={task.required_cores} />,
      <Value key="m" value={shown(task.required_memory_bytes, bytes)} />,
      task.started_at ? <HostTimeText text={task.started_at} zone={task.time_zone} short /> : <></>,
    ],
  }));
  const foot = footRows({
    gpus: sumOf(tasks.map((task) => task.required_gpus?.length)),
    held: null,
    cores: sumOf(tasks.map((task) => task.required_cores)),
    memory: sumOf(tasks.map((task) => task.required_memory_bytes)),
    gpusOf: node.gpu_info?.length,
    heldOf: null,
    coresOf: node.total_cores,
    memoryOf: node.memory_total_bytes,
  });
  return <AllocationTable held={false} rows={rows} foot={foot} />;
}
