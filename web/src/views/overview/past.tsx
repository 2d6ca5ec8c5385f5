// Utilization and memory of all GPUs over the window.
import type { JSX } from "preact";
import type { Meta, Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Chart } from "../../parts/chart.tsx";
import { bytes, number } from "../../parts/format.ts";
import { range, windowParams } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import { partlyKnown, stepTimes } from "../steps.ts";

type History = Schemas["GpuHistory"];

const EVERY = 60_000;

function useCluster(metric: string) {
  return useAsked<History[]>(
    "api/v1/gpu/history",
    { metric, aggregate: "cluster", ...windowParams() },
    EVERY,
  );
}

function timesOf(meta: Meta, row: History): number[] {
  return stepTimes(meta.window, row.avg?.length ?? 0);
}

function Gaps(props: { of: History }): JSX.Element | null {
  const { steps, all } = partlyKnown(props.of.known ?? []);
  return steps === 0 ? null : <p class="note">{words.gaps(steps, all)}</p>;
}

function Utilization(): JSX.Element {
  const asked = useCluster("utilization");
  return (
    <Shown of={asked}>
      {([row]) =>
        row ? (
          <Chart
            title={words.utilization}
            times={timesOf(asked.meta, row)}
            lines={[
              { label: words.mean, values: row.avg ?? [] },
              { label: words.highest, values: row.max ?? [], faint: true },
            ]}
            format={(value) => `${number(value, 0)} %`}
            least={0}
            most={100}
          />
        ) : (
          <p class="empty">{words.noGpus}</p>
        )
      }
    </Shown>
  );
}

function Memory(): JSX.Element {
  const used = useCluster("memory_used_bytes");
  const total = useCluster("memory_total_bytes");
  return (
    <Shown of={used}>
      {([row]) =>
        row ? (
          <>
            <Chart
              title={words.memory}
              times={timesOf(used.meta, row)}
              lines={[
                { label: words.used, values: row.sum ?? [] },
                { label: words.total, values: total.data?.[0]?.sum ?? [], faint: true },
              ]}
              format={bytes}
              least={0}
            />
            <Gaps of={row} />
          </>
        ) : (
          <p class="empty">{words.noGpus}</p>
        )
      }
    </Shown>
  );
}

export function Past(): JSX.Element {
  const { window, start } = range.value;
  return (
    <section aria-labelledby="past">
      <h2 id="past">{start === null ? words.past(window) : words.pastOf}</h2>
      <div class="columns">
        <div>
          <Utilization />
        </div>
        <div>
          <Memory />
        </div>
      </div>
    </section>
  );
}
