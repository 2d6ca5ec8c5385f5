// CPU and memory of a HakuRiver node over the last minute.
import type { JSX } from "preact";
import type { Schemas } from "../../api/client.ts";
import { HAKU, hakuThere } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Chart } from "../../parts/chart.tsx";
import { Kept } from "../../parts/facts.tsx";
import { Spark } from "../../parts/spark.tsx";
import { range } from "../../state/range.ts";
import { words } from "../../text/en/nodes.ts";
import { percent } from "./parts.tsx";
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
  return (
    <section class="section">
      <h3>{props.title}</h3>
      <Kept of={asked}>
        {([sample]) => {
          if (sample === undefined) return <p class="muted">{words.notThere(props.name)}</p>;
          const cpu = sample.cpu_percent_history ?? [];
          const memory = sample.memory_percent_history ?? [];
          const curves = [
            { label: words.cpu, values: cpu, color: "--line-1" },
            { label: words.memory, values: memory, color: "--line-3" },
          ];
          // Of when the last values were nobody can tell: the host's times have no zone.
          if (sample.fresh === false) return <OldCurves of={curves} />;
          const end = Date.parse(asked.meta.as_of ?? "") / 1000 || Date.now() / 1000;
          return (
            <div class="charts">
              {curves.map(({ label, values, color }) => (
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
          );
        }}
      </Kept>
    </section>
  );
}

function OldCurves(props: {
  of: readonly { label: string; values: readonly (number | null)[] }[];
}): JSX.Element {
  return (
    <>
      <p class="kept">{words.notFresh}</p>
      <div class="charts">
        {props.of.map(({ label, values }) => (
          <div key={label}>
            {words.lastMinuteOf(label)}
            <Spark values={values} most={100} label={words.lastMinuteOf(label)} />
          </div>
        ))}
      </div>
    </>
  );
}
