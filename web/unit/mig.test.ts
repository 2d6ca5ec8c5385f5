import assert from "node:assert/strict";
import { test } from "node:test";
import type { GpuRow } from "../src/api/live.ts";
import { haystackOf, isInstance, keyOf, migKey, migText } from "../src/fleet/cells.ts";
import { migNames } from "../src/views/gpus/names.ts";

function instance(id: string, uuid: string | null = null): GpuRow {
  const mig = { gpu_instance_id: id, compute_instance_id: null, profile: "3g.71gb", uuid };
  return { node_name: "n", gpu_id: "0", uuid: "GPU-1", mig } as GpuRow;
}

test("instances without UUIDs are told apart", () => {
  assert.notEqual(keyOf(instance("1")), keyOf(instance("2")));
  assert.equal(migKey(instance("1", "MIG-x").mig), "MIG-x");
  assert.equal(migKey(null), "");
});

test("names of rows by the UUID alone", () => {
  const nameOf = (uuid: string) => `<${uuid}>`;
  assert.deepEqual(migNames([{ mig_uuid: null }], false, nameOf), ["whole GPU"]);
  assert.deepEqual(migNames([{ mig_uuid: null }, { mig_uuid: "M" }], false, nameOf), [
    "whole GPU",
    "<M>",
  ]);
  assert.deepEqual(migNames([{}, {}], true, nameOf), [
    "instance without UUID, 1",
    "instance without UUID, 2",
  ]);
});

test("what is an instance, and what it is called", () => {
  assert.equal(isInstance({ mig: null } as GpuRow), false);
  assert.equal(isInstance(instance("1")), true);
  assert.equal(migText(instance("1").mig), "3g.71gb #1");
});

test("instances are found by what they are and by their profile", () => {
  const hay = haystackOf(instance("1"));
  assert.ok(hay.includes("mig") && hay.includes("3g.71gb"));
});
