// A value, or that it is not known and why. What is not known is hatched, never 0.
import type { ComponentChildren, JSX } from "preact";
import { text } from "../text/en.ts";

export function reasonText(reason: string | undefined): string {
  if (reason === undefined) return text.unknown;
  return text.unknownBecause(text.reasons[reason] ?? reason);
}

export function Unknown(props: { reason?: string | undefined }): JSX.Element {
  const why = reasonText(props.reason);
  return (
    <span class="unknown" role="img" title={why} aria-label={why}>
      <span aria-hidden="true">–</span>
    </span>
  );
}

// `value` null: unknown, for `reason`.
export function Value(props: {
  value: ComponentChildren | null | undefined;
  reason?: string | undefined;
}): JSX.Element {
  if (props.value === null || props.value === undefined) return <Unknown reason={props.reason} />;
  return <>{props.value}</>;
}

const SIGNS: Record<string, string> = {
  healthy: "●",
  busy: "●",
  online: "●",
  free: "○",
  idle_held: "◐",
  degraded: "▲",
  warning: "▲",
  unhealthy: "✖",
  critical: "✖",
  offline: "✖",
  unknown: "?",
  info: "ℹ",
  firing: "✖",
  pending: "▲",
};

// A state by word, sign and colour: never by colour alone.
export function State(props: { state: string; label?: string | undefined }): JSX.Element {
  const word = props.label ?? text.states[props.state] ?? text.levels[props.state] ?? props.state;
  return (
    <span class={`state state-${props.state}`}>
      <span class="sign" aria-hidden="true">
        {SIGNS[props.state] ?? "■"}
      </span>
      {word}
    </span>
  );
}

// A share of a whole as a bar behind its number. `percent` null: unknown.
export function Meter(props: {
  percent: number | null | undefined;
  label: string;
  reason?: string | undefined;
}): JSX.Element {
  if (props.percent === null || props.percent === undefined)
    return <Unknown reason={props.reason} />;
  const width = Math.max(0, Math.min(100, props.percent));
  return (
    <span class="meter">
      <svg class="meter-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="meter-fill" width={width} height="8" />
      </svg>
      <span class="meter-text">{props.label}</span>
    </span>
  );
}
