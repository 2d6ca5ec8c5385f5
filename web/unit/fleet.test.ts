import assert from "node:assert/strict";
import { test } from "node:test";
import type { GpuRow } from "../src/api/live.ts";
import { cellOf } from "../src/fleet/cells.ts";
import { Fleet } from "../src/fleet/store.ts";

function row(node: string, gpu: string, more: Partial<GpuRow> = {}): GpuRow {
  return { node_name: node, gpu_id: gpu, key: `${node}/${gpu}`, ...more } as GpuRow;
}

const ROWS = [
  row("a", "0", { utilization: 10, gpu_name: "A100" }),
  row("a", "1", { utilization: null, gpu_name: "A100", null_reasons: { utilization: "stale" } }),
  row("b", "0", {
    utilization: 90,
    gpu_name: "H100",
    workloads: [{ namespace: "ml", pod: "=train", container: null, share: null }],
  }),
];

test("sorted, searched and cut", () => {
  const fleet = new Fleet();
  fleet.take(ROWS, {});
  fleet.look("-utilization", []);
  assert.deepEqual(
    fleet.list().map((one) => one.key),
    ["b/0", "a/0", "a/1"],
  );
  fleet.look("-utilization", ["A100"]);
  assert.deepEqual(
    fleet.list().map((one) => one.key),
    ["a/0", "a/1"],
  );
  fleet.look(null, ["train", "ml"]);
  assert.equal(fleet.list().length, 1);
});

test("a row that the page has is not sent again", () => {
  const fleet = new Fleet();
  fleet.take(ROWS, {});
  const before = fleet.slice(0, 2, new Set());
  assert.ok(before.every((one) => one.row !== null));
  const has = new Set(before.map((one) => one.id));
  fleet.take([ROWS[0] as GpuRow, row("a", "1", { utilization: 5 })], {});
  const after = fleet.slice(0, 2, has);
  assert.equal(after[0]?.row, null);
  assert.equal(after[1]?.row?.utilization, 5);
});

test("a map has a cell for each GPU and says why one is unknown", () => {
  const fleet = new Fleet();
  fleet.take(ROWS, { utilization: "not_exported" });
  const map = fleet.map("utilization", null);
  assert.deepEqual(map.nodes, ["a", "b"]);
  assert.deepEqual(map.starts, [0, 2]);
  assert.deepEqual([...map.values], [10, NaN, 90]);
  assert.deepEqual(map.reasons, { 1: "stale" });
});

test("CSV quotes what a spreadsheet would run; unknown is empty", () => {
  const fleet = new Fleet();
  fleet.take(ROWS, {});
  assert.equal(
    fleet.csv(["gpu_id", "utilization", "workloads"]),
    "gpu_id,utilization,workloads\r\n0,10,\r\n1,,\r\n0,90,ml/=train\r\n",
  );
});

test("cells of MIG instances and of lists", () => {
  const mig = { gpu_instance_id: "7", compute_instance_id: "0", profile: "1g.10gb", uuid: "MIG-x" };
  assert.equal(cellOf(row("a", "0", { mig }), "gpu_id"), "0 · 1g.10gb #7/0");
  assert.equal(cellOf(row("a", "0", { throttle_reasons: ["a", "b"] }), "throttle_reasons"), "a, b");
  assert.equal(cellOf(row("a", "0"), "mig"), null);
});
