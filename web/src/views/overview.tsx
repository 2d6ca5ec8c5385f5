// The fleet at a glance.
import type { JSX } from "preact";
import type { Schemas } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { Stack } from "../parts/stack.tsx";
import { instantParams } from "../state/range.ts";
import { text } from "../text/en.ts";

const STATES = ["busy", "idle_held", "free", "unhealthy", "unknown"] as const;

export default function Overview(): JSX.Element {
  const summary = useAsked<Schemas["GpuSummary"][]>("api/v1/gpu/summary", instantParams());
  return (
    <Shown of={summary}>
      {([fleet]) =>
        fleet && (
          <Stack
            title={text.views.overview}
            parts={STATES.map((state) => ({
              key: state,
              label: text.states[state] ?? state,
              value: fleet[state] ?? 0,
              text: String(fleet[state] ?? "–"),
            }))}
          />
        )
      }
    </Shown>
  );
}
