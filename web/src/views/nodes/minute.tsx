// CPU and memory of a HakuRiver node over the last minute.
import type { JSX } from "preact";
import type { Schemas } from "../../api/client.ts";
import { HAKU, hakuThere } from "../../api/haku.ts";
import { useAsked } from "../../api/query.ts";
import { Chart } from "../../parts/chart.tsx";
import { Kept } from "../../parts/facts.tsx";
import { number } from "../../parts/format.ts";
import { range } from "../../state/range.ts";
import { words } from "../../text/en/nodes.ts";
import { lastSeconds } from "./series.ts";

type Sample = Schemas["HakuRiverHealth"];

// Nothing where there is no HakuRiver, or where the past is looked at, which it does not know.
// `optional`: nothing of a node either that it does not know.
export function HakuMinute(props: {
  name: string;
  title: string;
  optional?: boolean;
}): JSX.Element | null {
  const there = hakuThere.value === true && range.value.at === null;
  const asked = useAsked<Sample[]>(
    there ? HAKU + "health" : null,
    { node: props.name },
    5000,
    true,
  );
  if (!there || (props.optional && asked.data?.length === 0)) return null;
  const percent = (value: number) => `${number(value, 0)} %`;
  return (
    <section class="section">
      <h3>{props.title}</h3>
      <Kept of={asked}>
        {([sample]) => {
          if (sample === undefined) return <p class="muted">{words.notThere(props.name)}</p>;
          const cpu = sample.cpu_percent_history ?? [];
          const memory = sample.memory_percent_history ?? [];
          const end = Date.parse(asked.meta.as_of ?? "") / 1000 || Date.now() / 1000;
          return (
            <>
              {sample.fresh === false && <p class="kept">{words.notFresh}</p>}
              <div class="charts">
                {(
                  [
                    [words.cpu, cpu, "--line-1"],
                    [words.memory, memory, "--line-3"],
                  ] as const
                ).map(([label, values, color]) => (
                  <Chart
                    key={label}
                    title={words.minuteOf(label)}
                    times={lastSeconds(end, values.length)}
                    lines={[{ label, values, color }]}
                    format={percent}
                    least={0}
                    most={100}
                    height={140}
                  />
                ))}
              </div>
            </>
          );
        }}
      </Kept>
    </section>
  );
}
