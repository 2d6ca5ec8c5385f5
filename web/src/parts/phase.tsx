// What became of a task, a node or an exporter: by word, sign and colour.
import type { JSX } from "preact";
import { words } from "../text/en/phases.ts";
import "../style/filters.css";

// "good", "busy", "wait", "bad", "ended"
const KINDS: Record<string, readonly [string, string]> = {
  online: ["●", "good"],
  up: ["●", "good"],
  running: ["▶", "busy"],
  pending: ["◌", "wait"],
  assigning: ["◌", "wait"],
  pending_approval: ["◌", "wait"],
  paused: ["‖", "wait"],
  frozen: ["▲", "wait"],
  succeeded: ["✓", "good"],
  completed: ["✓", "good"],
  stopped: ["■", "ended"],
  killed: ["■", "ended"],
  rejected: ["■", "ended"],
  failed: ["✖", "bad"],
  killed_oom: ["✖", "bad"],
  lost: ["✖", "bad"],
  offline: ["✖", "bad"],
  down: ["✖", "bad"],
  critical: ["✖", "bad"],
  warning: ["▲", "wait"],
  info: ["i", "ended"],
  unknown: ["?", "ended"],
};

export function Phase(props: { of: string }): JSX.Element {
  const [sign, kind] = KINDS[props.of.toLowerCase()] ?? ["■", "ended"];
  return (
    <span class={`phase phase-${kind}`}>
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      {words[props.of] ?? props.of}
    </span>
  );
}
