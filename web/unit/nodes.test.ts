import assert from "node:assert/strict";
import { test } from "node:test";
import { incomplete, lastSeconds, stepTimes } from "../src/views/nodes/series.ts";
import { shareOf, sumOf, takes } from "../src/views/nodes/sums.ts";

test("a sum is of what is known, and says so", () => {
  assert.deepEqual(sumOf([1, 2, null]), { value: 3, known: 2, all: 3 });
  assert.deepEqual(sumOf([null, undefined]), { value: null, known: 0, all: 2 });
  assert.deepEqual(sumOf([]), { value: 0, known: 0, all: 0 });
});

test("a share needs both", () => {
  assert.equal(shareOf(4, 8), 50);
  assert.equal(shareOf(null, 8), null);
  assert.equal(shareOf(4, null), null);
  assert.equal(shareOf(4, 0), null);
});

test("Jobs and what has ended take nothing", () => {
  assert.equal(takes({ kind: "Pod", phase: "Running" }), true);
  assert.equal(takes({ kind: "Pod", phase: "Pending" }), true);
  assert.equal(takes({ kind: "Pod", phase: "Failed" }), false);
  assert.equal(takes({ kind: "Job", phase: "Running" }), false);
});

test("steps begin where the window does", () => {
  const window = { start: "1970-01-01T00:01:40Z", end: "1970-01-01T00:02:00Z", step_seconds: 5 };
  assert.deepEqual(stepTimes({ window }, 3), [100, 105, 110]);
  assert.deepEqual(stepTimes({}, 3), []);
  assert.deepEqual(lastSeconds(100, 3), [98, 99, 100]);
});

test("steps at which some GPUs are missing", () => {
  assert.deepEqual(incomplete([8, 7, null, 0, 8]), { gaps: 1, most: 8 });
  assert.deepEqual(incomplete([]), { gaps: 0, most: 0 });
});
