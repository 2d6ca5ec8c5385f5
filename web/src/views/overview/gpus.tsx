// GPUs by model, and those that stand out.
import type { JSX } from "preact";
import type { GpuMetrics, Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { bytes, number } from "../../parts/format.ts";
import { gpuHref, whereText } from "../../parts/links.ts";
import { Meter, Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { overviewText as words } from "../../text/en/overview.ts";

const STATES = ["busy", "idle_held", "free", "unhealthy", "unknown"] as const;
const TOP = 5;

function ModelRow(props: {
  row: Schemas["GpuSummary"];
  reasons: Record<string, string>;
}): JSX.Element {
  const { row } = props;
  const reason = (key: string) => row.null_reasons?.[key] ?? props.reasons[key];
  const used = row.memory_used_bytes;
  const total = row.memory_total_bytes;
  return (
    <tr>
      <th scope="row">
        <a href={href(["gpus"], { model: row.gpu_name })}>{row.gpu_name ?? "–"}</a>
      </th>
      <td class="numeric">
        <Value value={row.gpus} reason={reason("gpus")} />
      </td>
      {STATES.map((state) => (
        <td key={state} class="numeric">
          <Value value={row[state]} reason={reason(state)} />
        </td>
      ))}
      <td class="meter-cell">
        <Meter
          percent={row.utilization}
          label={`${number(row.utilization ?? 0, 0)} %`}
          reason={reason("utilization")}
        />
      </td>
      <td class="numeric">
        <Value
          value={used == null || total == null ? null : `${bytes(used)} / ${bytes(total)}`}
          reason={reason("memory_used_bytes")}
        />
      </td>
      <td class="numeric">
        <Value
          value={row.temperature_max == null ? null : `${number(row.temperature_max, 0)} °C`}
          reason={reason("temperature_max")}
        />
      </td>
    </tr>
  );
}

export function Models(): JSX.Element {
  const asked = useAsked<Schemas["GpuSummary"][]>("api/v1/gpu/summary", {
    by: "model",
    sort: "-gpus",
    ...instantParams(),
  });
  const t = words.tiles;
  return (
    <section aria-labelledby="models">
      <h2 id="models">{words.models}</h2>
      <Shown of={asked}>
        {(rows) => (
          <div class="scroll" tabIndex={0} role="group" aria-label={words.models}>
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">{words.model}</th>
                  <th scope="col" class="numeric">
                    {t.gpus}
                  </th>
                  {STATES.map((state) => (
                    <th key={state} scope="col" class="numeric">
                      {text.states[state]}
                    </th>
                  ))}
                  <th scope="col">{t.utilization}</th>
                  <th scope="col" class="numeric">
                    {t.memory}
                  </th>
                  <th scope="col" class="numeric">
                    {t.temperature}
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <ModelRow
                    key={String(row.gpu_name)}
                    row={row}
                    reasons={asked.meta.null_reasons ?? {}}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Shown>
    </section>
  );
}

function holders(row: GpuMetrics): string {
  return (row.workloads ?? [])
    .map((one) => [one.namespace, one.pod].filter((name) => name).join("/"))
    .filter((one) => one !== "")
    .join(", ");
}

// The first few GPUs by one field.
export function Top(props: {
  id: string;
  title: string;
  field: "temperature" | "utilization";
  unit: string;
}): JSX.Element {
  const { id, title, field, unit } = props;
  const asked = useAsked<GpuMetrics[]>("api/v1/gpu/metrics", {
    sort: `-${field}`,
    limit: TOP,
    [`min_${field}`]: 0,
    fields: `node_name,gpu_id,uuid,${field},workloads`,
    ...instantParams(),
  });
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <Shown of={asked}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="empty">{words.noneKnown}</p>
          ) : (
            <ol class="top">
              {rows.map((row) => {
                const link = gpuHref(row.node_name, row.gpu_id);
                const where = whereText(row.node_name, row.gpu_id);
                return (
                  <li key={`${where} ${row.uuid ?? ""}`}>
                    <span>{link === undefined ? where : <a href={link}>{where}</a>}</span>
                    <Meter percent={row[field]} label={`${number(row[field] ?? 0, 0)} ${unit}`} />
                    <span class="top-who">{holders(row)}</span>
                  </li>
                );
              })}
            </ol>
          )
        }
      </Shown>
    </section>
  );
}
