// How well the GPUs are, what is the matter with them, and how it was.
import type { JSX } from "preact";
import type { NullReasons, Schemas } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown, Warnings } from "../parts/asked.tsx";
import { Choice, chosen } from "../parts/choice.tsx";
import { columnsOf } from "../parts/columns.tsx";
import { time } from "../parts/format.ts";
import { whereHref, whereText } from "../parts/links.ts";
import { List, Rows, useList } from "../parts/list.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams } from "../state/filters.ts";
import { Stack } from "../parts/stack.tsx";
import type { Column } from "../parts/table.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { State, Unknown, Value } from "../parts/value.tsx";
import { here, href, param } from "../state/place.ts";
import { instantParams } from "../state/range.ts";
import { text } from "../text/en.ts";
import { healthText as words } from "../text/en/health.ts";
import { type Finding, findingsOf, rank } from "./findings.ts";
import { HealthHistory } from "./health-history.tsx";

type Row = Schemas["GpuHealth"];

const LEVELS = ["healthy", "degraded", "critical", "unknown"] as const;
const COMPONENTS = [
  "temperature",
  "power",
  "memory",
  "clock",
  "ecc",
  "xid",
  "nvlink",
  "host",
] as const;
const USUAL_SEVERITY = "warning";
const TABS = Object.entries(words.tabs).map(([value, label]) => ({ value, label }));
const BY = Object.entries(words.by).map(([value, label]) => ({ value, label }));
const NAMES = ["node", "gpu", "uuid", "model", "level"];
const LEVEL: Filter = {
  name: "level",
  label: words.filters.level,
  options: LEVELS.map((one) => [one, text.levels[one] ?? one]),
};
const PLACE: readonly Filter[] = [
  { name: "node", label: words.filters.node },
  { name: "gpu", label: words.filters.gpu },
  { name: "model", label: words.filters.model },
];
const SEVERITY: Filter = {
  name: "severity",
  label: words.filters.severity,
  usual: words.andWorse[USUAL_SEVERITY] ?? USUAL_SEVERITY,
  options: Object.entries(words.andWorse).filter(([one]) => one !== USUAL_SEVERITY),
};

// Rounded down: 100 % is all of it.
function share(part: number | null | undefined): string | null {
  return part == null ? null : `${Math.floor(100 * part + 1e-9)} %`;
}

function Fleet(): JSX.Element {
  const asked = useAsked<Row[]>("api/v1/gpu/health", { by: "fleet", ...instantParams() });
  const reason = asked.meta.null_reasons ?? {};
  return (
    <section aria-labelledby="fleet">
      <h2 id="fleet">{words.fleet}</h2>
      <Shown of={asked}>
        {([fleet]) =>
          fleet === undefined || fleet.gpus === 0 ? (
            <p class="empty">{words.empty.levels}</p>
          ) : (
            <>
              <Tiles>
                <Tile label={words.score}>
                  <Value
                    value={fleet.score == null ? null : `${fleet.score} / 100`}
                    reason={reason["score"]}
                  />
                </Tile>
                <Tile label={words.level}>
                  <State state={fleet.level ?? "unknown"} />
                </Tile>
                <Tile label={words.gpus}>
                  <Value value={fleet.gpus} reason={reason["gpus"]} />
                </Tile>
                <Tile label={words.confidence} more={words.confidenceHelp}>
                  <Value value={share(fleet.confidence)} reason={reason["confidence"]} />
                </Tile>
              </Tiles>
              <Stack
                title={words.level}
                parts={LEVELS.map((level) => ({
                  key: level,
                  label: text.levels[level] ?? level,
                  value: fleet[level] ?? 0,
                  text: String(fleet[level] ?? "–"),
                  href: here({ level: param("level") === level ? null : level }),
                }))}
              />
            </>
          )
        }
      </Shown>
    </section>
  );
}

const whereColumn: Column<Finding> = {
  key: "where",
  title: words.fields.where,
  width: 150,
  value: (row) => whereText(row.node, row.gpu),
  show: (row) => {
    const link = whereHref(row.node, row.gpu);
    const where = whereText(row.node, row.gpu);
    return link === undefined ? where : <a href={link}>{where}</a>;
  },
};

function findingColumns(): Column<Finding>[] {
  const f = words.fields;
  return [
    {
      key: "severity",
      title: f.severity,
      width: 105,
      value: (row) => `${rank(row.severity)} ${row.severity}`,
      show: (row) => <State state={row.severity} />,
    },
    whereColumn,
    {
      key: "component",
      title: f.component,
      width: 115,
      value: (row) => row.component,
      show: (row) => (
        <span title={words.explained[row.component]}>
          {words.components[row.component] ?? row.component}
        </span>
      ),
    },
    { key: "finding", title: f.finding, width: 420, value: (row) => row.finding },
    {
      key: "action",
      title: f.action,
      width: 240,
      value: (row) => words.actions[row.action] ?? row.action,
    },
    {
      key: "factor",
      title: f.factor,
      help: words.factorHelp,
      width: 80,
      numeric: true,
      value: (row) => row.factor,
      show: (row) => (row.factor === 1 ? "–" : `× ${row.factor}`),
    },
    {
      key: "since",
      title: f.since,
      help: words.sinceHelp,
      width: 180,
      value: (row) => row.since ?? "",
      show: (row) =>
        row.since === null ? (
          <Unknown reason={words.sinceBefore} />
        ) : row.open_before ? (
          words.orBefore(time(row.since))
        ) : (
          time(row.since)
        ),
    },
    {
      key: "model",
      title: f.model,
      width: 150,
      value: (row) => row.model ?? "",
    },
  ];
}

// On the row of a node its lost GPUs stand too; those have rows of their own.
function machineAlone(row: Row): Row {
  return { ...row, findings: (row.findings ?? []).filter((one) => one.component === "host") };
}

function Findings(): JSX.Element {
  const filters = filterParams(NAMES);
  const fields = "node_name,gpu_id,gpu_name,uuid,mig_uuid,findings";
  const gpus = useList<Row>("api/v1/gpu/health", { ...filters, fields, ...instantParams() });
  // A machine's findings are on the rows of nodes alone; it has no level of its own to filter by.
  const { node } = filters;
  const machines = useList<Row>(
    "gpu" in filters || "model" in filters || "level" in filters ? null : "api/v1/gpu/health",
    { by: "node", fields, ...(node ? { node } : {}), ...instantParams() },
  );
  const least = param("severity") ?? USUAL_SEVERITY;
  return (
    <>
      <Filters of={[SEVERITY, LEVEL, ...PLACE]} names={NAMES} />
      <Warnings of={machines.warnings} />
      <Shown of={gpus}>
        {(rows) => (
          <Rows
            label={words.tabs.findings}
            columns={findingColumns()}
            rows={findingsOf([...(machines.data ?? []).map(machineAlone), ...rows], least)}
            rowKey={(row) => row.key}
            empty={
              machines.error !== undefined
                ? machines.error.message
                : machines.waiting
                  ? text.loading
                  : words.empty.findings
            }
          />
        )}
      </Shown>
      <details>
        <summary>{words.what}</summary>
        <dl class="explained">
          {Object.entries(words.explained).map(([component, what]) => (
            <div key={component}>
              <dt>{words.components[component]}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}

function levelColumns(by: string, reasons: NullReasons): Column<Row>[] {
  const make = columnsOf<Row>(reasons);
  const f = words.fields;
  const names: Record<string, Column<Row>[]> = {
    gpu: [make.text("node_name", f.node_name, 130), make.text("gpu_id", f.gpu_id, 60)],
    node: [make.text("node_name", f.node_name, 170)],
    model: [make.text("gpu_name", f.gpu_name, 220)],
    fleet: [],
  };
  return [
    ...(names[by] ?? []),
    make.state("level", f.level, 110),
    make.count("score", f.score, 75),
    ...(by === "gpu" ? [] : [make.count("gpus", f.gpus, 70)]),
    ...(by === "gpu"
      ? []
      : LEVELS.map((level) => make.count(level, text.levels[level] ?? level, 95))),
    ...COMPONENTS.map((one) =>
      make.state(one, words.components[one] ?? one, 112, { help: words.explained[one] ?? one }),
    ),
    make.count("confidence", f.confidence, 105, {
      help: words.confidenceHelp,
      show: (row) => share(row.confidence),
    }),
    ...(by === "gpu" ? [make.text("gpu_name", f.gpu_name, 200)] : []),
  ];
}

function rowLink(by: string): (row: Row) => string {
  return (row) => {
    if (by === "model")
      return href(["health"], { show: "levels", ...(row.gpu_name ? { model: row.gpu_name } : {}) });
    if (by === "fleet") return href(["health"], { show: "levels" });
    return whereHref(row.node_name, row.gpu_id) ?? href(["gpus"]);
  };
}

function Levels(): JSX.Element {
  const by = chosen("by", BY);
  const filters = filterParams(NAMES);
  const asked = useList<Row>("api/v1/gpu/health", { by, ...filters, ...instantParams() });
  return (
    <>
      <Choice name="by" label={words.byLabel} options={BY} drop={["sort"]} />
      <Filters of={[LEVEL, ...PLACE]} names={NAMES} />
      <List
        of={asked}
        label={`${text.views.health} ${by}`}
        columns={levelColumns(by, asked.meta.null_reasons ?? {})}
        rowKey={(row) =>
          [row.node_name, row.gpu_id, row.uuid, row.mig_uuid, row.gpu_name].map(String).join("/")
        }
        rowHref={rowLink(by)}
        usualSort="score"
        empty={Object.keys(filters).length > 0 ? text.list.none : words.empty.levels}
      />
    </>
  );
}

export default function Health(): JSX.Element {
  const tab = chosen("show", TABS);
  return (
    <>
      <Fleet />
      <h2>{TABS.find((one) => one.value === tab)?.label}</h2>
      <Choice name="show" label={words.show} options={TABS} drop={["sort", "by", "severity"]} />
      {tab === "findings" && <Findings />}
      {tab === "levels" && <Levels />}
      {tab === "history" && <HealthHistory />}
    </>
  );
}
