import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { curlLine, isText, pretty, readBody } from "../src/views/api/answer.ts";
import { isBound, type OpenApi, requestOf, routesOf } from "../src/views/api/doc.ts";

const doc = JSON.parse(
  readFileSync(new URL("../openapi.json", import.meta.url), "utf8"),
) as OpenApi;
const routes = routesOf([{ path: "/livez", methods: ["GET"], summary: "Liveness." }], doc);
const routeOf = (path: string) => {
  const route = routes.find((one) => one.path === path);
  assert.ok(route, path);
  return route;
};

test("routes of the list and of the document, each once", () => {
  assert.equal(routes[0]?.summary, "Liveness.");
  assert.equal(new Set(routes.map((one) => one.path)).size, routes.length);
  assert.ok(routes.length > 30);
  assert.deepEqual(routesOf([{ path: "/x", methods: ["GET"], summary: "s" }], undefined), [
    { path: "/x", summary: "s", tag: "", get: true, params: [] },
  ]);
});

test("parameters have the input that fits", () => {
  const kinds = Object.fromEntries(
    routeOf("/api/v1/gpu/metrics").params.map((one) => [one.name, one.kind]),
  );
  assert.equal(kinds["node"], "many");
  assert.equal(kinds["limit"], "integer");
  assert.equal(kinds["min_utilization"], "number");
  assert.equal(kinds["stale"], "choice");
  assert.equal(kinds["at"], "text");
  const bounds = routeOf("/api/v1/gpu/metrics").params.filter(isBound);
  assert.ok(bounds.length > 50);
});

test("a request of what was filled in", () => {
  const task = routeOf("/api/v1/gpu/tasks/{namespace}/{name}");
  assert.deepEqual(requestOf(task, { namespace: ["ml"] }).missing, ["name"]);
  const asked = requestOf(task, { namespace: ["ml"], name: ["a/b?c"], at: [""] });
  assert.equal(asked.path, "api/v1/gpu/tasks/ml/a%2Fb%3Fc");
  assert.deepEqual(asked.query, {});
  const metrics = requestOf(routeOf("/api/v1/gpu/metrics"), { node: ["a", "b"], limit: ["3"] });
  assert.deepEqual(metrics.query, { node: ["a", "b"], limit: ["3"] });
  assert.deepEqual(requestOf(routeOf("/livez"), { verbose: [""] }).query, { verbose: [""] });
});

test("curl never has the token", () => {
  assert.equal(
    curlLine("http://h/api?a=1&b=2", true),
    `curl -sS -H "Authorization: Bearer $TOKEN" 'http://h/api?a=1&b=2'`,
  );
  assert.equal(curlLine("http://h/api", false), "curl -sS http://h/api");
  assert.equal(curlLine("http://h/\n", false), null);
});

test("bodies as they are read", async () => {
  assert.equal(pretty('{"a":[1]}', "application/json"), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(pretty('{"a":', "application/json"), '{"a":');
  assert.equal(pretty("{}", "text/plain"), "{}");
  assert.ok(isText("text/event-stream"));
  assert.ok(!isText("application/octet-stream"));
  const stream = new Blob(["0123456789"]).stream();
  const cut = await readBody(stream, 4);
  assert.deepEqual([new TextDecoder().decode(cut.bytes), cut.whole], ["0123", false]);
  const all = await readBody(new Blob(["01"]).stream(), 4);
  assert.deepEqual([new TextDecoder().decode(all.bytes), all.whole], ["01", true]);
  assert.deepEqual((await readBody(null, 4)).bytes.length, 0);
});
