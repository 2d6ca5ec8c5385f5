// What the list and the detail of nodes share.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../../api/client.ts";
import { hakuThere } from "../../api/features.ts";
import { Choice } from "../../parts/choice.tsx";
import type { Filter } from "../../parts/filters.tsx";
import { number } from "../../parts/format.ts";
import { Phase } from "../../parts/phase.tsx";
import { Meter, State } from "../../parts/value.tsx";
import { range } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words as shared } from "../../text/en/filters.ts";
import { words } from "../../text/en/nodes.ts";

export type Node = Schemas["GpuNode"];
export const STATES = ["busy", "idle_held", "free", "unhealthy", "unknown"] as const;

export function percent(value: number): string {
  return `${number(value, 0)} %`;
}

// GPUs of a node by state: a bar, and how many of each in words.
export function GpuStates(props: { node: Node; short?: boolean }): JSX.Element {
  const { node } = props;
  const whole = node.gpu_count ?? 0;
  let at = 0;
  const there = STATES.map((state) => ({ state, count: node[state] ?? 0 })).filter(
    (one) => one.count > 0,
  );
  const said = there.map((one) => `${one.count} ${text.states[one.state] ?? one.state}`).join(", ");
  const lost = node.gpus_lost ?? 0;
  return (
    <span class="gpu-states" title={props.short ? said : undefined}>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="part part-empty" width="100" height="10" />
        {there.map((one) => {
          const width = (100 * one.count) / Math.max(1, whole);
          const x = at;
          at += width;
          return (
            <rect
              key={one.state}
              class={`part part-${one.state}`}
              x={x}
              width={width}
              height="10"
            />
          );
        })}
      </svg>
      <span class="gpu-states-text">
        {props.short ? whole : said || words.noGpus}
        {lost > 0 && (
          <>
            {" "}
            <State state="critical" label={words.lost(lost)} />
          </>
        )}
      </span>
    </span>
  );
}

// The exporters that are not up by name, of the others how many.
export function exportersText(node: Node): string {
  const all = node.exporters ?? [];
  const bad = all.filter((one) => one.state !== "up");
  const up = all.length - bad.length;
  const parts = bad.map((one) => `${one.exporter ?? text.unknown} ${one.state ?? text.unknown}`);
  if (up > 0 || parts.length === 0) parts.push(words.exportersUp(up));
  return parts.join(", ");
}

export function Exporters(props: { node: Node }): JSX.Element {
  const bad = (props.node.exporters ?? []).find((one) => one.state !== "up");
  const said = exportersText(props.node);
  if (bad === undefined) return <>{said}</>;
  return <State state={bad.state === "down" ? "critical" : "warning"} label={said} />;
}

export function Status(props: { status: string; reason: string | null | undefined }): JSX.Element {
  return (
    <span>
      <Phase of={props.status} />
      {props.reason ? <span class="muted"> · {props.reason}</span> : null}
    </span>
  );
}

export function Health(props: { node: Node }): JSX.Element {
  const { level, score } = props.node;
  return (
    <span>
      <State state={level ?? "unknown"} />
      {score !== null && score !== undefined ? ` ${words.score(score)}` : ""}
    </span>
  );
}

export function PercentMeter(props: {
  value: number | null | undefined;
  reason?: string | undefined;
}): JSX.Element {
  return <Meter percent={props.value} label={percent(props.value ?? 0)} reason={props.reason} />;
}

export const STATUS_FILTER: Filter = {
  name: "status",
  label: words.status,
  options: [
    ["online", "online"],
    ["offline", "offline"],
  ],
};

export function ShowChoice(props: { show: string }): JSX.Element {
  return (
    <Choice
      name="show"
      label={words.show}
      value={props.show}
      options={[
        { value: "cards", label: words.cards },
        { value: "table", label: words.table },
      ]}
    />
  );
}

// The time that is looked at is above every view; HakuRiver's views cannot follow it.
export function NoPast(): JSX.Element | null {
  if (range.value.at === null) return null;
  return <p class="kept">{shared.noPast}</p>;
}

// Kubernetes or HakuRiver; nothing where there is no HakuRiver.
export function SourceChoice(props: { clear?: readonly string[] }): JSX.Element | null {
  if (hakuThere.value !== true) return null;
  return (
    <Choice
      name="source"
      label={shared.source}
      options={[
        { value: "kubernetes", label: shared.kubernetes },
        { value: "hakuriver", label: shared.hakuriver },
      ]}
      {...(props.clear ? { drop: props.clear } : {})}
    />
  );
}

// The tab is called after what is open in it.
export function useTitle(name: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = `${name} · ${text.product}`;
    return () => {
      document.title = before;
    };
  }, [name]);
}
