import assert from "node:assert/strict";
import { test } from "node:test";
import { roundedParts, sheetOf } from "../src/views/ledger.ts";

test("rounded parts add up to the rounded sum", () => {
  assert.deepEqual(roundedParts([1 / 3, 1 / 3, 1 / 3], 1), [0.4, 0.3, 0.3]);
  assert.deepEqual(roundedParts([0.05, 0.05, 0.9], 1), [0.1, 0, 0.9]);
  assert.deepEqual(roundedParts([0, 0], 1), [0, 0]);
  let seed = 7;
  for (let round = 0; round < 200; round += 1) {
    const values = Array.from({ length: 5 }, () => {
      seed = (seed * 48271) % 2147483647;
      return (seed % 1_000_000) / 997;
    });
    const parts = roundedParts(values, 1);
    const sum = parts.reduce((all, one) => all + one, 0);
    const whole = values.reduce((all, one) => all + one, 0);
    assert.equal(sum.toFixed(1), whole.toFixed(1));
    parts.forEach((part, i) => assert.ok(Math.abs(part - (values[i] ?? 0)) <= 0.1));
  }
});

test("the sheet adds up, and says where the server's does not", () => {
  const row = {
    total_seconds: 2_764_800,
    busy_seconds: 1_829_400,
    idle_held_seconds: 275_100,
    free_seconds: 638_700,
    unhealthy_seconds: 0,
    unknown_seconds: 21_600,
  };
  const sheet = sheetOf(row);
  assert.equal(sheet.whole, 768);
  assert.equal(sheet.exact, true);
  const sum = sheet.parts.reduce((all, one) => all + one.hours, 0);
  assert.equal(sum.toFixed(1), "768.0");
  assert.equal(sheetOf({ ...row, busy_seconds: 1 }).exact, false);
});
