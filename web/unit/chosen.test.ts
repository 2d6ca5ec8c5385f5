import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenColumns, columnsParam, pick } from "../src/parts/chosen.ts";
import { parsePlace, place } from "../src/state/place.ts";

const ALL = ["node", "gpu", "power", "load"];
const USUAL = ["node", "gpu"];

function chosen(hash: string): string[] {
  place.value = parsePlace(hash);
  return chosenColumns(USUAL, ALL);
}

test("the URL says which columns there are, and in which order", () => {
  assert.deepEqual(chosen("#/nodes"), USUAL);
  assert.deepEqual(chosen("#/nodes?columns=load,node"), ["load", "node"]);
  assert.deepEqual(chosen("#/nodes?columns=all"), ALL);
});

test("what is no column is left out, twice is once, none is the usual ones", () => {
  assert.deepEqual(chosen("#/nodes?columns=load,x,load"), ["load"]);
  assert.deepEqual(chosen("#/nodes?columns=x"), USUAL);
});

test("what is usual does not stand in the URL", () => {
  assert.equal(columnsParam(USUAL, USUAL, ALL), null);
  assert.equal(columnsParam([], USUAL, ALL), null);
  assert.equal(columnsParam(["node", "power"], USUAL, ALL), "node,power");
  assert.equal(columnsParam([...USUAL, "power", "load"], USUAL, ALL), "all");
});

test("columns by their keys", () => {
  const columns = ALL.map((key) => ({ key }));
  assert.deepEqual(pick(columns, ["load", "x", "node"]), [{ key: "load" }, { key: "node" }]);
});
