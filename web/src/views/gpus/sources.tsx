// Where each number of a GPU comes from: its samples as the join doctor tells them, or, where the
// server does not let everybody ask it, what gives each field here.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Params, Schemas } from "../../api/client.ts";
import type { GpuRow } from "../../api/live.ts";
import { debugThere, findFeatures } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { titleOf } from "../../parts/fields.ts";
import { duration } from "../../parts/format.ts";
import { Plain, type PlainColumn } from "../../parts/plain.tsx";
import { State } from "../../parts/value.tsx";
import { gpuText } from "../../text/en/gpu.ts";
import { text } from "../../text/en.ts";

type Report = Schemas["JoinReport"];
type Sample = Schemas["JoinSample"] & { readonly of: string };
type SchemaField = Schemas["SchemaField"];

const words = gpuText.columns;

function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(", ");
}

function plainNumber(value: number): string {
  return String(Number(value.toFixed(3)));
}

const COLUMNS: readonly PlainColumn<Sample>[] = [
  { title: words.field, show: (one) => <b title={one.field}>{titleOf(one.field)}</b> },
  {
    title: words.outcome,
    show: (one) => (
      <span class={`outcome outcome-${one.outcome}`}>
        <span aria-hidden="true">{gpuText.outcomeSigns[one.outcome] ?? "?"}</span>{" "}
        {gpuText.outcomes[one.outcome] ?? one.outcome}
      </span>
    ),
  },
  { title: words.exporter, show: (one) => one.exporter },
  { title: words.metric, show: (one) => <code>{one.metric}</code> },
  { title: words.raw, numeric: true, show: (one) => String(one.raw) },
  {
    title: words.value,
    numeric: true,
    show: (one) => (one.value === null ? "" : plainNumber(one.value)),
  },
  { title: words.rule, show: (one) => one.rule },
  {
    title: words.age,
    numeric: true,
    show: (one) => (one.age_seconds === null ? null : duration(one.age_seconds)),
  },
  { title: words.labels, show: (one) => <code class="labels">{labelsText(one.labels)}</code> },
];

function Join(props: { report: Report; nameOf: (row: GpuRow) => string }): JSX.Element {
  const { report, nameOf } = props;
  const several = report.rows.length > 1;
  const samples = useMemo(
    () =>
      report.rows
        .flatMap(({ row, samples: some }) => some.map((one) => ({ ...one, of: nameOf(row) })))
        .sort((a, b) => a.field.localeCompare(b.field)),
    [report],
  );
  const columns = several
    ? [{ title: words.instance, show: (one: Sample) => one.of }, ...COLUMNS]
    : COLUMNS;
  return (
    <>
      <p>{gpuText.sourcesHelp}</p>
      {report.findings.length > 0 && (
        <ul class="findings">
          {report.findings.map((one) => (
            <li key={one.finding}>
              <State state={one.severity} label={one.severity} />: {one.finding}.{" "}
              {gpuText.nextStep(one.next_step)}
            </li>
          ))}
        </ul>
      )}
      <Plain label={gpuText.sources} columns={columns} rows={samples} />
    </>
  );
}

const SCHEMA_COLUMNS: readonly PlainColumn<SchemaField>[] = [
  { title: words.field, show: (one) => <b title={one.field}>{titleOf(one.field)}</b> },
  {
    title: words.metric,
    show: (one) =>
      one.sources.map((source) => (
        <div key={`${source.exporter ?? ""}${source.metric ?? ""}`} title={source.note}>
          {source.exporter}: <code>{source.metric ?? (source.labels ?? []).join(", ")}</code>
          {source.rule ? ` (${source.rule})` : ""}
        </div>
      )),
  },
  { title: words.unit, show: (one) => one.unit ?? "" },
  { title: words.rows, numeric: true, show: (one) => `${one.known} / ${one.rows}` },
  {
    title: words.why,
    show: (one) =>
      Object.entries(one.reasons)
        .map(([reason, count]) => `${text.reasons[reason] ?? reason}: ${count}`)
        .join(", "),
  },
  {
    title: words.fill,
    show: (one) =>
      one.would_fill.map((way) => (
        <div key={way.exporter + way.metric}>
          {way.exporter}: <code>{way.metric}</code> {way.how}
        </div>
      )),
  },
];

function FromSchema(): JSX.Element {
  const schema = useAsked<Schemas["Schema"]>("api/v1/gpu/schema", {}, 0);
  return (
    <Shown of={schema}>
      {({ fields }) => (
        <>
          <p>{gpuText.schemaHelp}</p>
          <Plain
            label={gpuText.sources}
            columns={SCHEMA_COLUMNS}
            rows={fields.filter((field) => field.list === "metrics")}
          />
        </>
      )}
    </Shown>
  );
}

export function Sources(props: { which: Params; nameOf: (row: GpuRow) => string }): JSX.Element {
  useEffect(findFeatures, []);
  const path = debugThere.value ? "api/v1/debug/join" : null;
  const report = useAsked<Report>(path, props.which, 0, true);
  if (debugThere.value === null) return <p class="loading">{text.loading}</p>;
  // Not for us, or not for this GPU: then in general.
  if (path === null) return <FromSchema />;
  if (report.error?.status === 404 || report.error?.status === 403) return <FromSchema />;
  return <Shown of={report}>{(found) => <Join report={found} nameOf={props.nameOf} />}</Shown>;
}
