// One node: what it is and does now, who has it, what happened to it.
import type { JSX } from "preact";
import type { Meta } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Facts, PlainTable, reasonOf, Time } from "../../parts/facts.tsx";
import { bytes, duration, number } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { Meter, Unknown, Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { Allocated } from "./allocated.tsx";
import { Cores, degrees } from "./cards.tsx";
import { Findings } from "./findings.tsx";
import { NodeGpus } from "./gpus.tsx";
import { HakuMinute } from "./minute.tsx";
import {
  GpuStates,
  Health,
  type Node,
  PercentMeter,
  SourceChoice,
  Status,
  useTitle,
} from "./parts.tsx";
import { NodePast } from "./past.tsx";

export function NodeDetail(props: { name: string }): JSX.Element {
  const { name } = props;
  useTitle(name);
  const path = `api/v1/gpu/nodes/${encodeURIComponent(name)}`;
  const asked = useAsked<Node>(path, instantParams());
  return (
    <>
      <p>
        <a href={href(["nodes"])}>{words.all}</a>
      </p>
      <div class="node-head">
        <h2>{name}</h2>
        <SourceChoice />
      </div>
      <Shown of={asked}>
        {(node) => (
          <>
            <State node={node} meta={asked.meta} />
            <NodeGpus name={name} />
            <Allocated name={name} node={node} />
            <Findings name={name} />
            <Machine node={node} />
            <HakuMinute name={name} title={words.minute} optional />
            <NodePast name={name} />
          </>
        )}
      </Shown>
    </>
  );
}

function State(props: { node: Node; meta: Meta }): JSX.Element {
  const { node, meta } = props;
  const why = (field: string) => reasonOf(node, meta, field);
  return (
    <section class="section">
      <GpuStates node={node} />
      <Facts
        rows={[
          [
            words.status,
            <Status key="s" status={node.status ?? "unknown"} reason={node.status_reason} />,
          ],
          [words.level, <Health key="h" node={node} />],
          [
            words.ready,
            node.ready === null || node.ready === undefined
              ? null
              : node.ready
                ? words.yes
                : words.no,
            why("ready"),
          ],
          [words.lastSeen, node.last_seen ? <Time iso={node.last_seen} /> : null, why("last_seen")],
          [words.models, (node.models ?? []).join(", ") || text.none],
          [
            words.utilization,
            <PercentMeter key="u" value={node.utilization} reason={why("utilization")} />,
          ],
          [words.gpuMemory, <GpuMemory key="m" node={node} reason={why("memory_used_bytes")} />],
          [words.gpuTemperature, degrees(node.temperature_max), why("temperature_max")],
          [
            words.power,
            node.power === null || node.power === undefined ? null : `${number(node.power, 0)} W`,
            why("power"),
          ],
          [words.mig, plain(node.mig_instances), why("mig_instances")],
          [words.cpu, <PercentMeter key="c" value={node.cpu} reason={why("cpu")} />],
          [words.memory, <HostMemory key="hm" node={node} why={why} />],
          [words.cores, <Cores key="co" node={node} why={why} />],
          [words.load, <Load key="l" node={node} why={why} />],
          [words.hostTemperature, degrees(node.host_temperature), why("host_temperature")],
          [
            words.network,
            <>
              <Value value={rate(node.network_rx)} reason={why("network_rx")} />,{" "}
              <Value value={rate(node.network_tx)} reason={why("network_tx")} />
            </>,
          ],
          [words.namespaces, (node.namespaces ?? []).join(", ") || text.none],
        ]}
      />
      <Kubernetes node={node} why={why} />
    </section>
  );
}

function plain(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function Kubernetes(props: {
  node: Node;
  why: (field: string) => string | undefined;
}): JSX.Element {
  const { node, why } = props;
  return (
    <>
      <h3>{words.kubernetes}</h3>
      <Facts
        rows={[
          [words.capacity, plain(node.gpus_capacity), why("gpus_capacity")],
          [words.allocatable, plain(node.gpus_allocatable), why("gpus_allocatable")],
          [words.requestedGpus, plain(node.gpus_requested), why("gpus_requested")],
          [words.freeGpus, plain(node.gpus_free), why("gpus_free")],
        ]}
      />
    </>
  );
}

function rate(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : `${bytes(value)}/s`;
}

function GpuMemory(props: { node: Node; reason: string | undefined }): JSX.Element {
  const { memory_used_bytes: used, memory_total_bytes: total } = props.node;
  if (used === null || used === undefined) return <Unknown reason={props.reason} />;
  if (!total) return <>{bytes(used)}</>;
  return (
    <Meter percent={(100 * used) / total} label={`${bytes(used)} ${words.of} ${bytes(total)}`} />
  );
}

function HostMemory(props: {
  node: Node;
  why: (field: string) => string | undefined;
}): JSX.Element {
  const { host_memory_used_percent: used, host_memory_total_bytes: total } = props.node;
  if (used === null || used === undefined)
    return <Unknown reason={props.why("host_memory_used_percent")} />;
  const whole = total ? ` ${words.of} ${bytes(total)}` : "";
  return <Meter percent={used} label={`${number(used, 0)} %${whole}`} />;
}

function Load(props: { node: Node; why: (field: string) => string | undefined }): JSX.Element {
  const fields = ["load1", "load5", "load15"] as const;
  return (
    <>
      {fields.map((field, i) => (
        <span key={field}>
          {i > 0 ? ", " : ""}
          <Value value={props.node[field]?.toFixed(2)} reason={props.why(field)} />
        </span>
      ))}
    </>
  );
}

// Disks, NUMA nodes and who tells of it.
function Machine(props: { node: Node }): JSX.Element {
  const { node } = props;
  return (
    <div class="columns">
      <section class="section">
        <h3>{words.numa}</h3>
        <Numa node={node} />
      </section>
      <section class="section">
        <h3>{words.exporters}</h3>
        <ExporterTable node={node} />
      </section>
      <section class="section">
        <h3>{words.disks}</h3>
        <Disks node={node} />
      </section>
    </div>
  );
}

// Of `whole` what is not `free`.
function used(whole: number | null | undefined, free: number | null | undefined): JSX.Element {
  if (!whole || free === null || free === undefined) return <Unknown />;
  const percent = (100 * (whole - free)) / whole;
  return <Meter percent={percent} label={`${number(percent, 0)} %`} />;
}

function size(value: number | null | undefined): JSX.Element {
  return <Value value={value === null || value === undefined ? null : bytes(value)} />;
}

function Disks(props: { node: Node }): JSX.Element {
  const disks = props.node.disks ?? [];
  if (disks.length === 0) return <p class="muted">{words.noDisks}</p>;
  return (
    <PlainTable
      label={words.disks}
      columns={[
        { title: words.mount },
        { title: words.device },
        { title: words.fileSystem },
        { title: words.size, numeric: true },
        { title: words.available, numeric: true },
        { title: words.used, numeric: true },
      ]}
      rows={disks.map((disk, i) => ({
        key: `${disk.mountpoint} ${i}`,
        cells: [
          <Value key="m" value={disk.mountpoint} />,
          <Value key="d" value={disk.device} />,
          <Value key="t" value={disk.type} />,
          size(disk.size_bytes),
          size(disk.available_bytes),
          used(disk.size_bytes, disk.available_bytes),
        ],
      }))}
    />
  );
}

function Numa(props: { node: Node }): JSX.Element {
  const numa = props.node.numa_nodes ?? [];
  if (numa.length === 0) return <p class="muted">{words.noNuma}</p>;
  return (
    <PlainTable
      label={words.numa}
      columns={[
        { title: words.numaNode },
        { title: words.memory, numeric: true },
        { title: words.available, numeric: true },
        { title: words.used, numeric: true },
      ]}
      rows={numa.map((one, i) => ({
        key: `${one.id} ${i}`,
        cells: [
          <Value key="i" value={one.id} />,
          size(one.memory_bytes),
          size(one.memory_free_bytes),
          used(one.memory_bytes, one.memory_free_bytes),
        ],
      }))}
    />
  );
}

function ExporterTable(props: { node: Node }): JSX.Element {
  const exporters = props.node.exporters ?? [];
  if (exporters.length === 0) return <p class="muted">{words.noExporters}</p>;
  return (
    <PlainTable
      label={words.exporters}
      columns={[
        { title: words.exporter },
        { title: words.job },
        { title: words.instance },
        { title: words.state },
        { title: words.age, numeric: true },
      ]}
      rows={exporters.map((one, i) => ({
        key: `${one.exporter} ${one.job} ${one.instance} ${i}`,
        cells: [
          <Value key="e" value={one.exporter} />,
          <Value key="j" value={one.job} />,
          <Value key="i" value={one.instance} />,
          one.state ? <Phase of={one.state} /> : <Unknown />,
          <Value
            key="a"
            value={
              one.age_seconds === null || one.age_seconds === undefined
                ? null
                : duration(one.age_seconds)
            }
          />,
        ],
      }))}
    />
  );
}
