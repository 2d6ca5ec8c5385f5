import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { ApiError, tell } from "../src/api/client.ts";
import { place } from "../src/state/place.ts";
import { heard, news } from "../src/state/news.ts";

const late = new ApiError(504, "upstream_timeout", "Prometheus did not answer in time");
const good = () => ({ as_of: new Date().toISOString(), stale: false, partial: false });

describe("what is said above every view", () => {
  let begin = Date.parse("2026-01-01T00:00:00Z");
  beforeEach(() => {
    mock.timers.reset();
    begin += 3_600_000; // what earlier tests said is forgotten
    mock.timers.enable({ apis: ["Date"], now: begin });
  });
  const fails = (what: string, error = late) => heard(null, error, "prometheus", what);
  const comes = (what: string) => heard(good(), null, "prometheus", what);

  it("one question that fails speaks for itself while others are answered", () => {
    comes("metrics");
    fails("history");
    assert.equal(news.value.problem, null);
    assert.equal(news.value.some, late);
    mock.timers.tick(5000);
    comes("metrics");
    assert.equal(news.value.some, late);
    comes("history");
    assert.equal(news.value.some, null);
  });

  it("it speaks for all when nothing came before it, or has not for a while", () => {
    fails("metrics");
    assert.equal(news.value.problem, late);
    comes("metrics");
    assert.equal(news.value.problem, null);
    mock.timers.tick(10_001);
    fails("history");
    assert.equal(news.value.problem, late);
    assert.equal(news.value.some, null);
  });

  it("a server that is not there answers none of the others", () => {
    comes("metrics");
    const away = new ApiError(0, "unreachable", "the server does not answer");
    fails("history", away);
    assert.equal(news.value.problem, away);
  });

  it("what fails when its view is left says nothing to the next one", async () => {
    comes("metrics");
    let fail: (why: ApiError) => void = () => undefined;
    const asked = new Promise<never>((_, reject) => (fail = reject));
    const told = tell("api/v1/gpu/history", {}, asked);
    place.value = { path: ["gpus"], params: new URLSearchParams() };
    fail(late);
    await assert.rejects(told, late);
    assert.equal(news.value.some, null);
    assert.equal(news.value.problem, null);
    place.value = { path: [], params: new URLSearchParams() };
  });

  it("what was asked wrongly says nothing of the data", () => {
    comes("metrics");
    fails("history", new ApiError(400, "invalid_parameter", "no such field"));
    assert.equal(news.value.problem, null);
    assert.equal(news.value.some, null);
  });

  it("old data is no sign that Prometheus answers", () => {
    heard({ ...good(), stale: true }, null, "prometheus", "metrics");
    fails("history");
    assert.equal(news.value.problem, late);
  });
});
