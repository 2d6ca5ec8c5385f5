import assert from "node:assert/strict";
import { test } from "node:test";
import {
  binsOf,
  countBy,
  FIRST_SLICE,
  type Happened,
  joinSlices,
  LEAST_SLICE,
  nextLength,
  remedy,
} from "../src/views/slices.ts";

function event(hour: string, more: Partial<Happened> = {}): Happened {
  return {
    time: `2026-03-01T${hour}:00Z`,
    open_before: false,
    end: null,
    type: "throttle",
    severity: "warning",
    uuid: "GPU-1",
    ...more,
  };
}

test("what lasts over a border is one event", () => {
  const older = [event("09:50", { throttle_reasons: ["hw_slowdown"], duration_seconds: 600 })];
  const newer = [
    event("10:00", {
      open_before: true,
      end: "2026-03-01T10:05:00Z",
      duration_seconds: 300,
      severity: "critical",
      throttle_reasons: ["hw_thermal"],
    }),
  ];
  const [one, ...others] = joinSlices(older, newer);
  assert.equal(others.length, 0);
  assert.equal(one?.time, "2026-03-01T09:50:00Z");
  assert.equal(one?.end, "2026-03-01T10:05:00Z");
  assert.equal(one?.duration_seconds, 900);
  assert.equal(one?.severity, "critical");
  assert.deepEqual(one?.throttle_reasons, ["hw_slowdown", "hw_thermal"]);
});

test("over several borders, from the newest back", () => {
  const third = [event("11:00", { open_before: true, duration_seconds: 60 })];
  const second = [event("10:00", { open_before: true, duration_seconds: 3600 })];
  const first = [event("09:30", { duration_seconds: 1800 })];
  const all = joinSlices(first, joinSlices(second, third));
  assert.equal(all.length, 1);
  assert.equal(all[0]?.time, "2026-03-01T09:30:00Z");
  assert.equal(all[0]?.end, null);
  assert.equal(all[0]?.duration_seconds, 5460);
});

test("errors that go on growing are counted together", () => {
  const ecc = { type: "ecc_corrected" };
  const older = [event("09:50", { ...ecc, end: "2026-03-01T09:59:00Z", errors: 3 })];
  const newer = [
    event("10:00", { ...ecc, open_before: true, end: "2026-03-01T10:01:00Z", errors: 2 }),
  ];
  const all = joinSlices(older, newer);
  assert.equal(all.length, 1);
  assert.equal(all[0]?.errors, 5);
});

test("another GPU's, another kind's and one that had ended are others", () => {
  const older = [
    event("09:10", { end: "2026-03-01T09:20:00Z" }),
    event("09:05", { uuid: "GPU-2" }),
    event("09:01", { type: "temperature" }),
  ];
  const newer = [event("10:00", { open_before: true })];
  const all = joinSlices(older, newer);
  assert.deepEqual(
    all.map((one) => one.time?.slice(11, 16)),
    ["10:00", "09:10", "09:05", "09:01"],
  );
});

test("bins count what began in them by severity", () => {
  const from = Date.parse("2026-03-01T08:00:00Z");
  const to = Date.parse("2026-03-01T12:00:00Z");
  const bins = binsOf(
    [
      event("08:00"),
      event("08:30", { severity: "critical" }),
      event("12:00"),
      event("07:00"), // began before: in none
    ],
    { from, to },
    4,
  );
  assert.deepEqual(
    bins.map((bin) => bin.sum),
    [2, 0, 0, 1],
  );
  assert.deepEqual(bins[0]?.counts, { warning: 1, critical: 1 });
  assert.deepEqual(binsOf([], { from, to: from }, 4), []);
  assert.deepEqual(binsOf([], { from: NaN, to }, 4), []);
});

test("slices grow while answers are quick and shrink when one fails", () => {
  assert.equal(nextLength(FIRST_SLICE, 100, false), 2 * FIRST_SLICE);
  assert.equal(nextLength(FIRST_SLICE, 9000, false), FIRST_SLICE);
  assert.equal(nextLength(FIRST_SLICE, 0, true), FIRST_SLICE / 2);
  assert.equal(nextLength(LEAST_SLICE, 0, true), LEAST_SLICE);
});

test("the most frequent first", () => {
  assert.deepEqual(
    countBy(["a", "b", "b"], (one) => one),
    [
      ["b", 2],
      ["a", 1],
    ],
  );
});

test("what helps against an error", () => {
  assert.equal(remedy(504, "upstream_timeout", FIRST_SLICE), "shorter");
  assert.equal(remedy(504, "upstream_timeout", LEAST_SLICE), "later");
  assert.equal(remedy(502, "upstream_unreachable", FIRST_SLICE), "later");
  assert.equal(remedy(0, "unreachable", FIRST_SLICE), "later");
  assert.equal(remedy(400, "invalid_parameter", FIRST_SLICE), "none");
});
