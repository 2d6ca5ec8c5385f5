import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { filterParams, namedParams, splitValues } from "../src/state/filters.ts";
import { parsePlace, place } from "../src/state/place.ts";

beforeEach(() => {
  place.value = parsePlace("#/idle?node=a&node=b*&pod=&min_idle_seconds=5&sort=-pod&minute=1");
});

test("filters of the URL: named ones, several times, and every bound", () => {
  assert.deepEqual(filterParams(["node", "pod"]), { node: ["a", "b*"], min_idle_seconds: ["5"] });
});

test("routes that know no bound get none", () => {
  assert.deepEqual(namedParams(["node", "pod"]), { node: ["a", "b*"] });
});

test("several values stand with commas between them", () => {
  assert.deepEqual(splitValues(" a, b* ,,c"), ["a", "b*", "c"]);
  assert.deepEqual(splitValues(" "), []);
});
