// Nodes as cards: what a person on duty looks for, the name first.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { nodeHref } from "../../parts/links.ts";
import type { Meta } from "../../api/client.ts";
import { reasonOf } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Meter, Value } from "../../parts/value.tsx";
import { words } from "../../text/en/nodes.ts";
import { Exporters, GpuStates, Health, type Node, PercentMeter, Status } from "./parts.tsx";

export function Cards(props: { nodes: readonly Node[]; meta: Meta }): JSX.Element {
  return (
    <ul class="cards">
      {props.nodes.map((node) => (
        <li key={node.node_name}>
          <Card node={node} meta={props.meta} />
        </li>
      ))}
    </ul>
  );
}

function Card(props: { node: Node; meta: Meta }): JSX.Element {
  const { node, meta } = props;
  const why = (field: string) => reasonOf(node, meta, field);
  const used = node.memory_used_bytes ?? null;
  const total = node.memory_total_bytes ?? null;
  const wrong = node.status === "offline" || node.level === "critical";
  return (
    <article class={wrong ? "card card-bad" : "card"}>
      <h2>
        <Link to={nodeHref(node.node_name)}>{node.node_name}</Link>
      </h2>
      <p class="card-state">
        <Status status={node.status ?? "unknown"} reason={node.status_reason} />
        <Health node={node} />
      </p>
      <p class="muted">{(node.models ?? []).join(", ")}</p>
      <GpuStates node={node} />
      <dl class="card-facts">
        <Row title={words.utilization}>
          <PercentMeter value={node.utilization} reason={why("utilization")} />
        </Row>
        <Row title={words.gpuMemory}>
          {used !== null && total ? (
            <Meter percent={(100 * used) / total} label={bytes(used)} />
          ) : (
            <Value value={used === null ? null : bytes(used)} reason={why("memory_used_bytes")} />
          )}
        </Row>
        <Row title={words.cpu}>
          <PercentMeter value={node.cpu} reason={why("cpu")} />
        </Row>
        <Row title={words.memory}>
          <PercentMeter
            value={node.host_memory_used_percent}
            reason={why("host_memory_used_percent")}
          />
        </Row>
        <Row title={words.cores}>
          <Cores node={node} why={why} />
        </Row>
        <Row title={words.gpuTemperature}>
          <Value value={degrees(node.temperature_max)} reason={why("temperature_max")} />
        </Row>
        <Row title={words.hostTemperature}>
          <Value value={degrees(node.host_temperature)} reason={why("host_temperature")} />
        </Row>
        <Row title={words.exporters}>
          <Exporters node={node} />
        </Row>
      </dl>
    </article>
  );
}

function Row(props: { title: string; children: JSX.Element }): JSX.Element {
  return (
    <div>
      <dt>{props.title}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

export function degrees(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : `${number(value, 0)} °C`;
}

// Free and all, each of which may be unknown.
export function Cores(props: {
  node: Node;
  why: (field: string) => string | undefined;
}): JSX.Element {
  const { cores_available: free, cores_total: total } = props.node;
  const shown = (value: number | null | undefined) =>
    value === null || value === undefined ? null : number(value);
  return (
    <span>
      <Value value={shown(free)} reason={props.why("cores_available")} /> {words.free} {words.of}{" "}
      <Value value={shown(total)} reason={props.why("cores_total")} />
    </span>
  );
}
