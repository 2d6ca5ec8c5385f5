// CPU and memory of the machines.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findHaku, hakuThere } from "../../api/haku.ts";
import type { Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { Chart } from "../../parts/chart.tsx";
import { bytes, number, time } from "../../parts/format.ts";
import { Tile, Tiles } from "../../parts/tiles.tsx";
import { Value } from "../../parts/value.tsx";
import { range } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import { forMinute, meanOf, type Sample, sampleOf, withSample } from "../hosts.ts";

type Nodes = Asked<Schemas["GpuNode"][]>;

// It goes on from where it was when the view is come back to.
const samples = signal<readonly Sample[]>([]);
const opened = new Date().toISOString();
const percent = (value: number) => `${number(value, 0)} %`;

function useSamples(nodes: Nodes): readonly Sample[] {
  const { data, meta } = nodes;
  const asOf = meta.as_of;
  const now = range.value.at === null && !meta.stale;
  useEffect(() => {
    if (!now || data === undefined || asOf === undefined) return;
    const time = Math.floor(Date.parse(asOf) / 1000);
    samples.value = withSample(samples.value, sampleOf(data, time));
  }, [data, asOf, now]);
  return samples.value;
}

// At an instant of the past.
function Then(props: { nodes: Nodes }): JSX.Element {
  const { data, meta } = props.nodes;
  if (data === undefined) return <p class="loading">{words.asking}</p>;
  const { cpu, used, total, known } = sampleOf(data, 0);
  const reasons = meta.null_reasons ?? {};
  return (
    <>
      <Tiles>
        <Tile label={words.hostCpu} more={words.hostOf(known, data.length)}>
          <Value value={cpu === null ? null : percent(cpu)} reason={reasons["cpu"]} />
        </Tile>
        <Tile
          label={words.hostMemory}
          more={total === null ? "" : words.tiles.memoryOf(bytes(total))}
        >
          <Value
            value={used === null ? null : bytes(used)}
            reason={reasons["host_memory_available_bytes"]}
          />
        </Tile>
      </Tiles>
      <p class="note">{words.hostPast}</p>
    </>
  );
}

function SincePage(props: { nodes: Nodes }): JSX.Element {
  const past = forMinute(useSamples(props.nodes));
  const times = past.map((one) => one.time);
  const last = past.at(-1);
  if (range.value.at !== null) return <Then nodes={props.nodes} />;
  if (last === undefined) return <p class="loading">{words.asking}</p>;
  const all = props.nodes.data?.length ?? 0;
  if (past.every((one) => one.cpu === null && one.used === null))
    return <p class="empty">{words.hostNone}</p>;
  return (
    <>
      <div class="columns">
        <Chart
          title={words.hostCpu}
          times={times}
          lines={[
            { label: words.hostMean, values: past.map((one) => one.cpu) },
            { label: words.hostBusiest, values: past.map((one) => one.busiest), faint: true },
          ]}
          format={percent}
          least={0}
          most={100}
          height={150}
        />
        <Chart
          title={words.hostMemory}
          times={times}
          lines={[
            { label: words.used, values: past.map((one) => one.used) },
            { label: words.total, values: past.map((one) => one.total), faint: true },
          ]}
          format={bytes}
          least={0}
          height={150}
        />
      </div>
      <p class="note">
        {words.sincePage(time(opened))} {last.known < all && words.hostOf(last.known, all)}
      </p>
    </>
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

export function Hosts(props: { nodes: Nodes }): JSX.Element {
  useEffect(findHaku, []);
  return (
    <section aria-labelledby="hosts">
      <h2 id="hosts">{words.hosts}</h2>
      <SincePage nodes={props.nodes} />
      {hakuThere.value === true && range.value.at === null && <HakuMinute />}
    </section>
  );
}
