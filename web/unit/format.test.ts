import assert from "node:assert/strict";
import { test } from "node:test";
import { withUnit } from "../src/parts/format.ts";
import { byMatter } from "../src/parts/warning.ts";

test("energy in what people pay for, where it is much", () => {
  assert.equal(withUnit(16_931_119_349, "J"), "4703 kWh");
  assert.equal(withUnit(7_200_000, "J"), "2 kWh");
  assert.equal(withUnit(120_034, "J"), "120034 J");
});

test("the same warning of several lists is one", () => {
  const all = ["gpus: 5 rows without a node label", "tasks: gone", "5 rows without a node label"];
  const window = ["5 rows without a node label (at 9 of 240 instants)"];
  assert.deepEqual(
    [...byMatter([...all, ...window]).values()],
    ["gpus: 5 rows without a node label", "tasks: gone"],
  );
});
