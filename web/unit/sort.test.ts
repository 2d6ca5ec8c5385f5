import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cell, compare, orderOf, sortOf } from "../src/parts/sort.ts";

function sorted(cells: readonly Cell[], down: boolean): Cell[] {
  return [...orderOf(cells, down)].map((i) => cells[i]);
}

test("numbers by size, unknown ones last both ways", () => {
  assert.deepEqual(sorted([3, null, 20, 1, undefined], false), [1, 3, 20, null, undefined]);
  assert.deepEqual(sorted([3, null, 20, 1], true), [20, 3, 1, null]);
});

test("names as people count", () => {
  assert.deepEqual(sorted(["node-10", "node-9", null, "node-1"], false), [
    "node-1",
    "node-9",
    "node-10",
    null,
  ]);
});

test("equal ones stay where they were, both ways", () => {
  const cells = [1, 2, 1, 2, 1];
  assert.deepEqual([...orderOf(cells, false)], [0, 2, 4, 1, 3]);
  assert.deepEqual([...orderOf(cells, true)], [1, 3, 0, 2, 4]);
});

test("mixed cells do not lose any", () => {
  const cells: Cell[] = ["b", 2, null, true, "a", 10];
  assert.equal(new Set(orderOf(cells, false)).size, cells.length);
});

test("the order of many is that of compare", () => {
  const cells = Array.from({ length: 2000 }, (_, i) => (i % 7 === 0 ? null : (i * 7919) % 101));
  const got = sorted(cells, true);
  for (let i = 1; i < got.length; i += 1) assert.ok(compare(got[i - 1], got[i], true) <= 0);
});

test("sort of a URL", () => {
  assert.deepEqual(sortOf("-power"), { by: "power", down: true });
  assert.deepEqual(sortOf("node_name"), { by: "node_name", down: false });
  assert.equal(sortOf(""), null);
  assert.equal(sortOf(null), null);
});
