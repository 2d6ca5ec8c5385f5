// What is the matter with each GPU and machine, one row for each finding.
export const SEVERITIES = ["critical", "warning", "info"] as const;

export interface FoundIn {
  readonly node_name?: string | null;
  readonly gpu_id?: string | null;
  readonly gpu_name?: string | null;
  readonly uuid?: string | null;
  readonly mig_uuid?: string | null;
  readonly findings?: readonly Found[];
}

export interface Found {
  readonly severity: string;
  readonly component: string;
  readonly finding: string;
  readonly action: string;
  readonly factor: number;
  readonly since: string | null;
  readonly open_before: boolean; // `since`
}

export interface Finding extends Found {
  readonly key: string;
  readonly node: string | null;
  readonly gpu: string | null; // null: of the machine
  readonly model: string | null;
}

export function rank(severity: string): number {
  const at = (SEVERITIES as readonly string[]).indexOf(severity);
  return at < 0 ? SEVERITIES.length : at;
}

// Those as severe as `least` and worse; the worst first, then what costs the most score.
export function findingsOf(rows: readonly FoundIn[], least: string): Finding[] {
  const result: Finding[] = [];
  for (const row of rows) {
    (row.findings ?? []).forEach((found, i) => {
      if (rank(found.severity) > rank(least)) return;
      result.push({
        ...found,
        key: [row.node_name, row.gpu_id, row.uuid, row.mig_uuid, i].join("/"),
        node: row.node_name ?? null,
        gpu: row.gpu_id ?? null,
        model: row.gpu_name ?? null,
      });
    });
  }
  return result.sort((a, b) => rank(a.severity) - rank(b.severity) || a.factor - b.factor);
}

export interface Snapshot {
  readonly task_id: string;
  readonly instance_id?: string | null;
  readonly timestamp: string;
  readonly health_score: number | null;
  readonly health_status: string;
  readonly health_states?: readonly { readonly message?: string | null }[];
  readonly events?: readonly unknown[];
}

export interface Scores {
  readonly times: number[]; // Unix seconds
  readonly average: (number | null)[];
  readonly least: (number | null)[];
}

// Of all snapshots of one time, in %.
export function scoresOf(snapshots: readonly Snapshot[]): Scores {
  const by = new Map<number, number[]>();
  for (const one of snapshots) {
    const time = Math.round(Date.parse(one.timestamp) / 1000);
    const scores = by.get(time) ?? [];
    if (one.health_score !== null) scores.push(one.health_score * 100);
    by.set(time, scores);
  }
  const times = [...by.keys()].sort((a, b) => a - b);
  const of = (what: (scores: number[]) => number) =>
    times.map((time) => {
      const scores = by.get(time) ?? [];
      return scores.length === 0 ? null : what(scores);
    });
  return {
    times,
    average: of((scores) => scores.reduce((sum, one) => sum + one, 0) / scores.length),
    least: of((scores) => Math.min(...scores)),
  };
}

// The newest of each task; they come by time.
export function newest(snapshots: readonly Snapshot[]): Snapshot[] {
  return [...new Map(snapshots.map((one) => [one.task_id, one])).values()];
}
