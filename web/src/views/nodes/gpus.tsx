// The GPUs of a node, live.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { gpuHref } from "../../parts/links.ts";
import { type GpuRow, useLiveGpus } from "../../api/live.ts";
import { keyOf } from "../../fleet/cells.ts";
import { GpuName } from "../../parts/gpuname.tsx";
import { PlainTable } from "../../parts/facts.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Meter, Unknown, Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { range } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { degrees } from "./cards.tsx";
import { PercentMeter } from "./parts.tsx";

export function NodeGpus(props: { name: string }): JSX.Element {
  const live = useLiveGpus({ node: props.name }, range.value.at);
  const rows = live.rows;
  return (
    <section class="section node-gpus">
      <h3>{words.gpus}</h3>
      {rows === undefined ? (
        <p class="loading">{live.error?.message ?? text.loading}</p>
      ) : rows.length === 0 ? (
        <p class="muted">{words.noGpuRows}</p>
      ) : (
        <PlainTable
          label={words.gpus}
          columns={[
            { title: words.gpu },
            { title: words.gpuName },
            { title: words.utilization, numeric: true },
            { title: words.gpuMemory, numeric: true },
            { title: words.temperature, numeric: true },
            { title: words.powerOf, numeric: true },
            { title: words.heldBy },
          ]}
          rows={rows.map((row) => ({
            key: keyOf(row),
            cells: cells(row, (field) => row.null_reasons?.[field] ?? live.nullReasons[field]),
          }))}
        />
      )}
    </section>
  );
}

function cells(row: GpuRow, why: (field: string) => string | undefined): JSX.Element[] {
  const id = row.gpu_id;
  const used = row.memory_used_bytes;
  return [
    id === null || id === undefined ? (
      <Unknown reason={why("gpu_id")} />
    ) : (
      <Link to={gpuHref(row.node_name, id)}>
        <GpuName row={row} />
      </Link>
    ),
    <Value key="n" value={row.gpu_name} reason={why("gpu_name")} />,
    <PercentMeter key="u" value={row.utilization} reason={why("utilization")} />,
    used === null || used === undefined ? (
      <Unknown reason={why("memory_used_bytes")} />
    ) : row.memory_total_bytes ? (
      <Meter percent={(100 * used) / row.memory_total_bytes} label={bytes(used)} />
    ) : (
      <>{bytes(used)}</>
    ),
    <Value key="t" value={degrees(row.temperature)} reason={why("temperature")} />,
    <Value
      key="p"
      value={row.power === null || row.power === undefined ? null : `${number(row.power, 0)} W`}
      reason={why("power")}
    />,
    <HeldBy key="h" row={row} reason={why("workloads")} />,
  ];
}

function HeldBy(props: { row: GpuRow; reason: string | undefined }): JSX.Element {
  const all = props.row.workloads;
  if (all === null || all === undefined) return <Unknown reason={props.reason} />;
  const pods = [...new Set(all.map((one) => `${one.namespace ?? "?"}/${one.pod ?? "?"}`))];
  if (pods.length === 0) return <span class="muted">{text.none}</span>;
  return (
    <>
      {pods.map((pod, i) => (
        <span key={pod}>
          {i > 0 ? ", " : ""}
          <a href={href(["tasks"], { task: pod })}>{pod}</a>
        </span>
      ))}
    </>
  );
}
