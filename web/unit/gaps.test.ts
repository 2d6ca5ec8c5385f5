import assert from "node:assert/strict";
import { test } from "node:test";
import { alone, joined } from "../src/parts/gaps.ts";

const sampled = (at: readonly number[], length: number) =>
  Array.from({ length }, (_, i) => (at.includes(i) ? i : null));
// "x": a value, "-": the line goes on, ".": a gap.
const drawn = (at: readonly number[], length: number) =>
  joined(sampled(at, length))
    .map((one) => (one === undefined ? "-" : one === null ? "." : "x"))
    .join("");

test("what is sampled less often than there are steps is one line", () => {
  assert.equal(drawn([1, 4, 7, 10], 12), ".x--x--x--x.");
  assert.equal(drawn([0, 2, 5, 7, 10], 11), "x-x--x-x--x");
  assert.equal(drawn([0, 5, 10, 15, 17, 22], 23), "x----x----x----x-x----x", "sooner than usual");
  // The made past of a fleet, and then what is scraped at each step.
  assert.equal(drawn([0, 4, 8, 12, 13, 14, 15], 16), "x---x---x---xxxx");
});

test("a gap stays one: what is longer than usual, and what is missing once", () => {
  assert.equal(drawn([0, 3, 6, 12, 15, 18], 19), "x--x--x.....x--x--x");
  assert.equal(drawn([0, 1, 2, 4, 5, 6, 8, 9], 10), "xxx.xxx.xx");
  assert.equal(
    drawn([0, 1, 2, 9, 16, 17], 18),
    "xxx......x......xx",
    "two of them are no interval",
  );
  assert.equal(drawn([], 3), "...");
});

test("a value that no line leads to is a point", () => {
  assert.deepEqual(alone([1, null, 2, null, 3, 4]), [0, 2]);
  assert.deepEqual(alone([1, undefined, 2, null, 3]), [4]);
  assert.equal(alone([1, 2]), null);
  assert.equal(alone(undefined), null);
});
