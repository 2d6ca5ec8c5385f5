// What is the matter, the worst first: from GPUs' health, alerts and nodes.
import { rank } from "./findings.ts";

export interface Problem {
  readonly key: string;
  readonly kind: "alert" | "node" | "exporter" | "gpu" | "lost";
  readonly severity: "critical" | "warning" | "info";
  readonly node: string | null;
  readonly gpu: string | null;
  readonly what: string;
  readonly more: string | null; // what an alert says beside its name
  readonly since: string | null;
  readonly age: number | null; // seconds, where there is no `since`
}

type Text = string | null | undefined;

export interface HealthRow {
  readonly node_name?: Text;
  readonly gpu_id?: Text;
  readonly uuid?: Text;
  readonly mig_uuid?: Text;
  readonly level?: Text;
  readonly findings?: readonly {
    readonly severity: string;
    readonly component: string;
    readonly finding: string;
    readonly since: string | null;
  }[];
}

export interface AlertRow {
  readonly alertname?: Text;
  readonly state?: Text;
  readonly severity?: Text;
  readonly since?: Text;
  readonly node_name?: Text;
  readonly gpu_id?: Text;
  readonly labels?: readonly string[];
}

export interface NodeRow {
  readonly node_name?: Text;
  readonly status?: Text;
  readonly status_reason?: Text;
  readonly last_seen?: Text;
  readonly exporters?:
    | readonly {
        readonly exporter?: Text;
        readonly job?: Text;
        readonly instance?: Text;
        readonly state?: Text;
        readonly age_seconds?: number | null;
      }[]
    | null;
}

function ofHealth(row: HealthRow): Problem {
  const found = [...(row.findings ?? [])]
    .filter((one) => one.severity !== "info")
    .sort((a, b) => rank(a.severity) - rank(b.severity));
  const lost = found.some((one) => one.component === "gpu");
  const times = found.map((one) => one.since).filter((one) => one !== null);
  return {
    key: ["gpu", row.node_name, row.gpu_id, row.uuid, row.mig_uuid].join("/"),
    kind: lost ? "lost" : "gpu",
    severity: row.level === "critical" ? "critical" : "warning",
    node: row.node_name ?? null,
    gpu: row.gpu_id ?? null,
    what: found.map((one) => one.finding).join("; "),
    more: null,
    since: times.sort()[0] ?? null,
    age: null,
  };
}

function ofAlert(row: AlertRow): Problem {
  const severity = row.severity ?? "";
  return {
    key: ["alert", ...(row.labels ?? [row.alertname])].join("/"),
    kind: "alert",
    // Rules call it what they like: what is not known is no less than a warning.
    severity: severity === "critical" || severity === "info" ? severity : "warning",
    node: row.node_name ?? null,
    gpu: row.gpu_id ?? null,
    what: row.alertname ?? "",
    more:
      (row.labels ?? []).filter((one) => !/^(alertname|severity)=/.test(one)).join(", ") || null,
    since: row.since ?? null,
    age: null,
  };
}

function ofNode(row: NodeRow, words: Words): Problem[] {
  const node = row.node_name ?? null;
  const base = { node, gpu: null, since: null, more: null } as const;
  if (row.status === "offline") {
    const what = row.status_reason ?? words.offline;
    const since = row.last_seen ?? null;
    return [
      { ...base, key: `node/${node}`, kind: "node", severity: "critical", what, since, age: null },
    ];
  }
  return (row.exporters ?? [])
    .filter((one) => one.state !== "up" && one.state != null)
    .map((one) => ({
      ...base,
      key: ["exporter", node, one.exporter, one.job, one.instance].join("/"),
      kind: "exporter",
      severity: "warning",
      what: words.exporterState(
        [one.exporter ?? words.exporterUnknown, one.instance].filter((name) => name).join(" @ "),
        one.state ?? "",
      ),
      age: one.age_seconds ?? null,
    }));
}

export interface Words {
  readonly offline: string;
  readonly exporterUnknown: string;
  readonly exporterState: (name: string, state: string) => string;
}

const KINDS = ["node", "lost", "gpu", "exporter", "alert"];

export function problemsOf(
  health: readonly HealthRow[],
  alerts: readonly AlertRow[],
  nodes: readonly NodeRow[],
  words: Words,
): Problem[] {
  const all = [
    ...health.map(ofHealth),
    ...alerts.filter((one) => one.state === "firing").map(ofAlert),
    ...nodes.flatMap((one) => ofNode(one, words)),
  ];
  return all.sort(
    (a, b) => rank(a.severity) - rank(b.severity) || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
  );
}
