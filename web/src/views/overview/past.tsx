// Utilization and memory of all GPUs over the window.
import type { JSX } from "preact";
import type { Meta, Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Chart } from "../../parts/chart.tsx";
import { bytes, number } from "../../parts/format.ts";
import { range, windowParams } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import { partlyKnown, stepTimes } from "../steps.ts";

type History = Schemas["GpuHistory"];

const EVERY = 60_000;

// One after the other: together they would ask more of Prometheus than it answers in time.
function useCluster(metric: string, first?: Asked<History[]>) {
  const wait = first !== undefined && first.data === undefined && first.error === undefined;
  return useAsked<History[]>(
    wait ? null : "api/v1/gpu/history",
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

function Utilization(props: { of: Asked<History[]> }): JSX.Element {
  const asked = props.of;
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

function Memory(props: { of: Asked<History[]>; total: Asked<History[]> }): JSX.Element {
  const { of: used, total } = props;
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
              binary
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
  const utilization = useCluster("utilization");
  const used = useCluster("memory_used_bytes", utilization);
  const total = useCluster("memory_total_bytes", used);
  return (
    <section aria-labelledby="past">
      <h2 id="past">{start === null ? words.past(window) : words.pastOf}</h2>
      <div class="columns">
        <div>
          <Utilization of={utilization} />
        </div>
        <div>
          <Memory of={used} total={total} />
        </div>
      </div>
    </section>
  );
}
