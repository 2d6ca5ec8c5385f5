// Which tasks have a node's GPUs, cores and memory, beside what the node has.
import type { JSX } from "preact";
import type { Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { PlainTable, reasonOf, Time } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { Meter, Unknown, Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { words } from "../../text/en/nodes.ts";
import type { Node } from "./parts.tsx";
import { shareOf, type Sum, sumOf, takes } from "./sums.ts";

type Task = Schemas["GpuTask"];

export function Allocated(props: { name: string; node: Node }): JSX.Element {
  const asked = useAsked<Task[]>("api/v1/gpu/tasks", { node: props.name, ...instantParams() });
  return (
    <section class="section">
      <h3>{words.allocated}</h3>
      <Shown of={asked}>
        {(tasks) => {
          const pods = tasks.filter(takes);
          if (pods.length === 0) return <p class="muted">{words.noTasks}</p>;
          const rows = pods.map((pod) => ({
            key: `${pod.namespace}/${pod.name}`,
            cells: cells(pod, (field) => reasonOf(pod, asked.meta, field)),
          }));
          return (
            <>
              <p class="muted">{words.allocatedHelp}</p>
              <AllocationTable held rows={rows} foot={feet(pods, props.node)} />
            </>
          );
        }}
      </Shown>
    </section>
  );
}

export interface AllocationRow {
  readonly key: string;
  readonly cells: readonly JSX.Element[];
}

// `held`: whether there is a column of what they hold.
export function AllocationTable(props: {
  held: boolean;
  rows: readonly AllocationRow[];
  foot: readonly AllocationRow[];
}): JSX.Element {
  return (
    <PlainTable
      label={words.allocated}
      columns={[
        { title: words.task },
        { title: words.phase },
        { title: words.gpus, numeric: true },
        ...(props.held ? [{ title: words.held, numeric: true }] : []),
        { title: words.cores, numeric: true },
        { title: words.memory, numeric: true },
        { title: words.started },
      ]}
      rows={props.rows}
      foot={props.foot}
    />
  );
}

function cells(pod: Task, why: (field: string) => string | undefined): JSX.Element[] {
  const name = `${pod.namespace}/${pod.name}`;
  const figure = (value: number | null | undefined, field: string, show = number) => (
    <Value
      key={field}
      value={value === null || value === undefined ? null : show(value)}
      reason={why(field)}
    />
  );
  return [
    <a key="t" href={href(["tasks"], { task: name })}>
      {name}
    </a>,
    <Phase key="p" of={pod.phase ?? "Unknown"} />,
    figure(pod.gpus_requested, "gpus_requested"),
    figure(pod.gpus_held, "gpus_held"),
    figure(pod.cores_requested, "cores_requested"),
    figure(pod.memory_requested_bytes, "memory_requested_bytes", bytes),
    pod.started ? (
      <Time iso={pod.started} />
    ) : why("started") ? (
      <Unknown reason={why("started")} />
    ) : (
      <></>
    ),
  ];
}

export function SumCell(props: { sum: Sum; show?: (value: number) => string }): JSX.Element {
  const { value, known, all } = props.sum;
  if (value === null) return <Unknown />;
  const shown = (props.show ?? number)(value);
  if (known === all) return <>{shown}</>;
  return <span title={words.known(known, all)}>≥ {shown}</span>;
}

export function ShareCell(props: { percent: number | null }): JSX.Element {
  const { percent } = props;
  return <Meter percent={percent} label={`${number(percent ?? 0, 0)} %`} />;
}

function feet(pods: readonly Task[], node: Node): AllocationRow[] {
  const gpus = sumOf(pods.map((pod) => pod.gpus_requested));
  const held = sumOf(pods.map((pod) => pod.gpus_held));
  const cores = sumOf(pods.map((pod) => pod.cores_requested));
  const memory = sumOf(pods.map((pod) => pod.memory_requested_bytes));
  return footRows({
    gpus,
    held,
    cores,
    memory,
    gpusOf: node.gpus_allocatable ?? node.gpu_count,
    heldOf: node.gpu_count,
    coresOf: node.cores_total,
    memoryOf: node.host_memory_total_bytes,
  });
}

export function footRows(of: {
  gpus: Sum;
  held: Sum | null;
  cores: Sum;
  memory: Sum;
  gpusOf: number | null | undefined;
  heldOf: number | null | undefined;
  coresOf: number | null | undefined;
  memoryOf: number | null | undefined;
}): AllocationRow[] {
  const whole = (value: number | null | undefined, show: (value: number) => string) => (
    <Value value={value === null || value === undefined ? null : show(value)} />
  );
  const none = <></>;
  return [
    {
      key: "sum",
      cells: [
        <>{words.sum}</>,
        none,
        <SumCell key="g" sum={of.gpus} />,
        ...(of.held === null ? [] : [<SumCell key="h" sum={of.held} />]),
        <SumCell key="c" sum={of.cores} />,
        <SumCell key="m" sum={of.memory} show={bytes} />,
        none,
      ],
    },
    {
      key: "node",
      cells: [
        <>{words.total}</>,
        none,
        whole(of.gpusOf, number),
        ...(of.held === null ? [] : [whole(of.heldOf, number)]),
        whole(of.coresOf, number),
        whole(of.memoryOf, bytes),
        none,
      ],
    },
    {
      key: "share",
      cells: [
        <>{words.share}</>,
        none,
        <ShareCell key="g" percent={shareOf(of.gpus.value, of.gpusOf)} />,
        ...(of.held === null
          ? []
          : [<ShareCell key="h" percent={shareOf(of.held.value, of.heldOf)} />]),
        <ShareCell key="c" percent={shareOf(of.cores.value, of.coresOf)} />,
        <ShareCell key="m" percent={shareOf(of.memory.value, of.memoryOf)} />,
        none,
      ],
    },
  ];
}
