// How a GPU was over the window.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta, Params, Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Chart, type Line } from "../../parts/chart.tsx";
import { withUnit } from "../../parts/format.ts";
import { migNames } from "./names.ts";
import { windowParams } from "../../state/range.ts";
import { gpuText } from "../../text/en/gpu.ts";

type History = Schemas["GpuHistory"];

const METRICS: readonly { metric: string; most?: number }[] = [
  { metric: "utilization", most: 100 },
  { metric: "memory_used_bytes" },
  { metric: "temperature" },
  { metric: "power" },
];

function timesOf(meta: Meta, count: number): number[] {
  const start = Date.parse(meta.window?.start ?? "") / 1000;
  const step = meta.window?.step_seconds ?? 0;
  return Array.from({ length: count }, (_, i) => start + i * step);
}

// Of a whole GPU its mean and its highest; of instances the mean of each.
function linesOf(
  rows: readonly History[],
  divided: boolean, // and the whole has no row
  nameOf: (migUuid: string) => string,
): Line[] {
  const [only] = rows;
  if (rows.length === 1 && only && !only.mig_uuid && !divided) {
    return [
      { label: gpuText.mean, values: only.avg ?? [], color: "--line-1" },
      { label: gpuText.most, values: only.max ?? [], color: "--line-2", faint: true },
    ];
  }
  const names = migNames(rows, divided, nameOf);
  return rows.map((row, i) => ({ label: names[i] ?? gpuText.whole, values: row.avg ?? [] }));
}

function One(props: {
  which: Params;
  metric: string;
  most?: number | undefined;
  divided: boolean;
  nameOf: (migUuid: string) => string;
}): JSX.Element {
  const { which, metric, most } = props;
  const params = { ...which, ...windowParams(), metric };
  const asked = useAsked<History[]>("api/v1/gpu/history", params, 60_000, true);
  const { data, meta } = asked;
  const lines = useMemo(
    () => linesOf(data ?? [], props.divided, props.nameOf),
    [data, props.divided],
  );
  const times = useMemo(() => timesOf(meta, lines[0]?.values.length ?? 0), [lines, meta]);
  const title = gpuText.charts[metric] ?? metric;
  return (
    <section class="history-one" aria-label={title}>
      {data !== undefined && lines.length > 0 ? (
        <Chart
          title={title}
          times={times}
          lines={lines}
          format={(value) => withUnit(value, data[0]?.unit ?? null)}
          least={0}
          binary={data[0]?.unit === "bytes"}
          {...(most === undefined ? {} : { most })}
        />
      ) : (
        <>
          <h4>{title}</h4>
          <Shown of={asked}>{() => <p class="empty">{gpuText.noHistory}</p>}</Shown>
        </>
      )}
    </section>
  );
}

export function HistoryCharts(props: {
  which: Params;
  divided: boolean;
  nameOf: (migUuid: string) => string;
}): JSX.Element {
  const { which, divided, nameOf } = props;
  return (
    <div class="history">
      {METRICS.map(({ metric, most }) => (
        <One key={metric} {...{ which, metric, most, divided, nameOf }} />
      ))}
    </div>
  );
}
