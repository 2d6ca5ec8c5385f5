import assert from "node:assert/strict";
import { test } from "node:test";
import {
  completions,
  filtersOf,
  formatFilters,
  nearest,
  parseFilters,
  tokensOf,
} from "../src/parts/filtertext.ts";

const names = {
  texts: ["node", "gpu", "uuid", "model", "namespace", "pod", "user"],
  numbers: ["utilization", "temperature", "memory_used_bytes"],
};

test("parameters and words", () => {
  const got = parseFilters("node=a* model=*A100* min_utilization=80 train  node=b", names);
  assert.deepEqual(got.params, {
    node: ["a*", "b"],
    model: ["*A100*"],
    min_utilization: ["80"],
  });
  assert.deepEqual(got.words, ["train"]);
  assert.deepEqual(got.problems, []);
});

test("quotes hold blanks together, a quote that is not closed ends with the text", () => {
  assert.deepEqual(parseFilters('model="NVIDIA A100"', names).params, { model: ["NVIDIA A100"] });
  assert.deepEqual(parseFilters('model="NVIDIA A', names).params, { model: ["NVIDIA A"] });
  assert.deepEqual(parseFilters('"a=b c"', names).words, ["a=b c"]);
  assert.deepEqual(parseFilters('pod="a\\"b"', names).params, { pod: ['a"b'] });
});

test("bounds as people write them", () => {
  assert.deepEqual(parseFilters("utilization>=80 temperature<=60.5", names).params, {
    min_utilization: ["80"],
    max_temperature: ["60.5"],
  });
});

test("misspelt words say so", () => {
  assert.deepEqual(parseFilters("nod=a", names).problems, [
    { kind: "name", name: "nod", near: "node" },
  ]);
  assert.deepEqual(parseFilters("temperature=80", names).problems, [
    { kind: "name", name: "temperature", near: "min_temperature" },
  ]);
  assert.deepEqual(parseFilters("zzzzzzzzz=1", names).problems, [
    { kind: "name", name: "zzzzzzzzz", near: undefined },
  ]);
  assert.deepEqual(parseFilters("min_utilization=much node=", names).problems, [
    { kind: "number", name: "min_utilization", value: "much" },
    { kind: "empty", name: "node" },
  ]);
  assert.equal(nearest("min_utilisation", ["min_utilization", "node"]), "min_utilization");
});

test("what is written is read as the same", () => {
  const params = { node: ["a b", 'c"d', "e\\f", "x=y"], min_utilization: ["5"] };
  const words = ["plain", "two words", "k=v", 'q"'];
  const got = parseFilters(formatFilters(params, words), names);
  assert.deepEqual(got.params, params);
  assert.deepEqual(got.words, words);
  assert.deepEqual(got.problems, []);
});

test("from a URL", () => {
  const url = new URLSearchParams(
    "node=a&node=b&sort=-utilization&min_temperature=70&q=x+%22y+z%22",
  );
  assert.deepEqual(filtersOf(url, names), {
    params: { node: ["a", "b"], min_temperature: ["70"] },
    words: ["x", "y z"],
  });
});

test("completion of the name at the caret", () => {
  assert.deepEqual(completions("node=a mo", 9, names), { start: 7, end: 9, names: ["model"] });
  assert.deepEqual(completions("util", 4, names)?.names, ["min_utilization", "max_utilization"]);
  assert.equal(completions("node=a", 6, names), null);
  assert.deepEqual(completions("", 0, names)?.names, names.texts);
});

test("tokens know where they stand", () => {
  assert.deepEqual(
    tokensOf('  a="b c" d').map(({ text, start, end }) => ({ text, start, end })),
    [
      { text: "a=b c", start: 2, end: 9 },
      { text: "d", start: 10, end: 11 },
    ],
  );
});
