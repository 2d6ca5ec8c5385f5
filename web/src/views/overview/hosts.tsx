// CPU and memory of the machines.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findFeatures, hakuThere } from "../../api/features.ts";
import type { Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Chart } from "../../parts/chart.tsx";
import { number } from "../../parts/format.ts";
import { range, windowParams } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import { meanOf } from "../means.ts";
import { partlyKnown, stepTimes } from "../steps.ts";

type History = Schemas["GpuHistory"];

const EVERY = 60_000;
const percent = (value: number) => `${number(value, 0)} %`;

// One after the other, as the past of GPUs is asked for.
function useMachines(metric: string, first?: Asked<History[]>) {
  const wait = first !== undefined && first.data === undefined && first.error === undefined;
  return useAsked<History[]>(
    wait ? null : "api/v1/gpu/history",
    { metric, aggregate: "cluster", ...windowParams() },
    EVERY,
  );
}

function Machines(props: { of: Asked<History[]>; title: string }): JSX.Element {
  const asked = props.of;
  return (
    <Shown of={{ ...asked, warnings: [] }}>
      {([row]) => {
        if (!row) return <p class="empty">{words.hostNone}</p>;
        const { steps, all } = partlyKnown(row.known ?? []);
        return (
          <>
            <Chart
              title={props.title}
              times={stepTimes(asked.meta.window, row.avg?.length ?? 0)}
              lines={[{ label: words.hostMean, values: row.avg ?? [] }]}
              format={percent}
              least={0}
              most={100}
              height={150}
            />
            {steps > 0 && <p class="note">{words.hostGaps(steps, all)}</p>}
          </>
        );
      }}
    </Shown>
  );
}

function HakuMinute(): JSX.Element | null {
  const asked = useAsked<Schemas["HakuRiverHealth"][]>("api/v1/hakuriver/health");
  const rows = (asked.data ?? []).filter((one) => one.fresh);
  if (asked.data === undefined) return null;
  const cpu = meanOf(rows.map((one) => one.cpu_percent_history ?? []));
  const memory = meanOf(rows.map((one) => one.memory_percent_history ?? []));
  const end = Math.floor(Date.parse(asked.meta.as_of ?? "") / 1000);
  const times = (count: number) => Array.from({ length: count }, (_, i) => end - count + 1 + i);
  return (
    <>
      <h3>{words.hakuMinute}</h3>
      <div class="columns">
        <Chart
          title={words.hakuCpu}
          times={times(cpu.length)}
          lines={[{ label: words.hakuMean, values: cpu }]}
          format={percent}
          least={0}
          most={100}
          height={120}
        />
        <Chart
          title={words.hakuMemory}
          times={times(memory.length)}
          lines={[{ label: words.hakuMean, values: memory }]}
          format={percent}
          least={0}
          most={100}
          height={120}
        />
      </div>
      <p class="note">{words.hakuOf(rows.length, asked.data.length)}</p>
    </>
  );
}

export function Hosts(): JSX.Element {
  const cpu = useMachines("cpu");
  const memory = useMachines("host_memory_used_percent", cpu);
  useEffect(findFeatures, []);
  return (
    <section aria-labelledby="hosts">
      <h2 id="hosts">{words.hosts}</h2>
      <div class="columns">
        <div>
          <Machines of={cpu} title={words.hostCpu} />
        </div>
        <div>
          <Machines of={memory} title={words.hostMemory} />
        </div>
      </div>
      {hakuThere.value === true && range.value.at === null && <HakuMinute />}
    </section>
  );
}
