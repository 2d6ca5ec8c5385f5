import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsOf, newest, scoresOf } from "../src/views/findings.ts";
import { meanOf } from "../src/views/means.ts";
import { problemsOf } from "../src/views/problems.ts";
import { sumOf, usedOfAll, usedOfRequested } from "../src/views/share.ts";
import { partlyKnown, stepTimes } from "../src/views/steps.ts";
import { kubernetesCounts, stateOf, wordsOf } from "../src/views/taskcounts.ts";

const words = {
  offline: "offline",
  exporterUnknown: "an exporter",
  exporterState: (name: string, state: string) => `${name} is ${state}`,
};
const found = (severity: string, component: string, finding: string, since: string | null) => ({
  severity,
  component,
  finding,
  since,
  open_before: false,
  action: "REBOOT_SYSTEM",
  factor: severity === "critical" ? 0.5 : 0.9,
});

test("the worst problem comes first", () => {
  const problems = problemsOf(
    [
      {
        node_name: "a",
        gpu_id: "1",
        level: "degraded",
        findings: [
          found("warning", "memory", "95 % used", "2026-03-01T10:00:00Z"),
          found("info", "utilization", "idle", "2026-03-01T09:00:00Z"),
        ],
      },
      {
        node_name: "a",
        gpu_id: "2",
        level: "critical",
        findings: [found("critical", "gpu", "no longer shown", null)],
      },
    ],
    [
      {
        alertname: "Hot",
        state: "firing",
        severity: "page",
        labels: ["alertname=Hot", "severity=page", "sensor=hbm", "job=dcgm"],
      },
      { alertname: "Soon", state: "pending", severity: "critical" },
    ],
    [
      { node_name: "b", status: "offline", status_reason: "not ready" },
      {
        node_name: "c",
        status: "online",
        exporters: [
          { exporter: "dcgm", instance: "c:9400", state: "down", age_seconds: 60 },
          { exporter: "node_exporter", state: "up" },
        ],
      },
    ],
    words,
  );
  assert.deepEqual(
    problems.map((one) => [one.severity, one.kind, one.what]),
    [
      ["critical", "node", "not ready"],
      ["critical", "lost", "no longer shown"],
      ["warning", "gpu", "95 % used"],
      ["warning", "exporter", "dcgm @ c:9400 is down"],
      ["warning", "alert", "Hot"],
    ],
  );
  assert.equal(problems[2]?.since, "2026-03-01T10:00:00Z");
  assert.equal(problems[3]?.age, 60);
  assert.equal(problems[4]?.more, "sensor=hbm, job=dcgm");
  assert.deepEqual(problemsOf([], [], [], words), []);
});

test("findings by severity, then by what they cost", () => {
  const rows = [
    { node_name: "a", gpu_id: "0", findings: [found("info", "utilization", "idle", null)] },
    { node_name: "b", findings: [found("warning", "host", "disk", null)] },
    { node_name: "c", gpu_id: "1", findings: [found("critical", "xid", "XID 79", null)] },
  ];
  const least = (severity: string) => findingsOf(rows, severity).map((one) => one.node);
  assert.deepEqual(least("critical"), ["c"]);
  assert.deepEqual(least("warning"), ["c", "b"]);
  assert.deepEqual(least("info"), ["c", "b", "a"]);
});

test("stored scores by time; one that is not known is a gap", () => {
  const at = (minute: string, task: string, score: number | null) => ({
    task_id: task,
    timestamp: `2026-03-01T10:${minute}:00Z`,
    health_score: score,
    health_status: "healthy",
  });
  const snapshots = [at("00", "a", 1), at("00", "b", 0.5), at("01", "a", null)];
  const scores = scoresOf(snapshots);
  assert.deepEqual(scores.average, [75, null]);
  assert.deepEqual(scores.least, [50, null]);
  assert.equal((scores.times[1] ?? 0) - (scores.times[0] ?? 0), 60);
  assert.deepEqual(
    newest(snapshots).map((one) => [one.task_id, one.health_score]),
    [
      ["a", null],
      ["b", 0.5],
    ],
  );
});

test("the mean of minutes that end together", () => {
  assert.deepEqual(meanOf([[1, 2, null], [4]]), [1, 2, 4]);
  assert.deepEqual(meanOf([[null], [null]]), [null]);
  assert.deepEqual(meanOf([]), []);
});

test("a Job counts once, and every word has a state", () => {
  const counts = kubernetesCounts([
    { kind: "Job", phase: "Running" },
    { kind: "Pod", job: "train", phase: "Running" },
    { kind: "Pod", phase: "Pending" },
    { kind: "Pod", phase: "Odd" },
  ]);
  assert.equal(counts.running, 1);
  assert.equal(counts.waiting, 1);
  assert.equal(counts.unknown, 1);
  assert.equal(stateOf("killed_oom"), "failed");
  assert.deepEqual(wordsOf("waiting", true), ["Pending"]);
  assert.deepEqual(wordsOf("stopped", false), ["killed", "stopped", "rejected"]);
});

test("what is used of what was asked for", () => {
  const row = { gpus_requested: 4, gpu_share: 2, utilization: 50 };
  assert.equal(usedOfRequested(row), 25);
  assert.equal(usedOfRequested({ ...row, utilization: null }), null);
  assert.equal(usedOfRequested({ ...row, gpus_requested: 0 }), null);
  const all = usedOfAll([row, { gpus_requested: 4, gpu_share: 4, utilization: 100 }, {}]);
  assert.deepEqual(all, { sum: 62.5, known: 2 });
  assert.deepEqual(
    sumOf([{ n: null }], (one) => one.n),
    { sum: null, known: 0 },
  );
});

test("steps of a window, and those that not all GPUs are known at", () => {
  const window = { start: "1970-01-01T00:01:00Z", step_seconds: 30 };
  assert.deepEqual(stepTimes(window, 3), [60, 90, 120]);
  assert.deepEqual(stepTimes(undefined, 3), []);
  assert.deepEqual(partlyKnown([32, 31, null, 32]), { steps: 2, all: 4 });
  assert.deepEqual(partlyKnown([]), { steps: 0, all: 0 });
});
