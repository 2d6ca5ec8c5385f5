import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlace, place } from "../src/state/place.ts";
import { range, rangeMs, windowParams, windowSeconds } from "../src/state/range.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

function at(hash: string) {
  place.value = parsePlace(hash);
  const { from, to } = rangeMs(range.value, NOW);
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19) + "Z";
  return { params: windowParams(), span: `${iso(from)} ${iso(to)}` };
}

test("the hours before now, or before an instant", () => {
  assert.deepEqual(at("#/events?window=6h"), {
    params: { window: "6h" },
    span: "2026-03-01T06:00:00Z 2026-03-01T12:00:00Z",
  });
  assert.deepEqual(at("#/events?at=2026-02-28T12:00:00Z"), {
    params: { window: "24h", end: "2026-02-28T12:00:00Z" },
    span: "2026-02-27T12:00:00Z 2026-02-28T12:00:00Z",
  });
});

test("start and end stand before window and at", () => {
  const url = "#/events?window=6h&start=2026-03-01T01:00:00Z&end=1772330400&at=5";
  assert.deepEqual(at(url), {
    params: { start: "2026-03-01T01:00:00Z", end: "1772330400" },
    span: "2026-03-01T01:00:00Z 2026-03-01T02:00:00Z",
  });
  assert.deepEqual(at("#/events?start=2026-03-01T01:00:00Z").params, {
    start: "2026-03-01T01:00:00Z",
  });
});

test("windows as the API reads them", () => {
  assert.equal(windowSeconds("7d"), 604_800);
  assert.equal(windowSeconds("90"), 90);
  assert.equal(windowSeconds("1h30m"), NaN);
  assert.equal(windowSeconds("soon"), NaN);
});
