import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { type Answer, ApiError } from "../src/api/client.ts";
import { type Question, Round } from "../src/api/round.ts";
import { askShared, FRESH, known } from "../src/api/shared.ts";

const answer = (data: unknown): Answer<unknown> => ({ data, meta: {}, warnings: [] });
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

let asked = 0;
let url = "";
const ask = () => Promise.resolve(answer((asked += 1)));
const signal = () => new AbortController().signal;

beforeEach((test) => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date", "setTimeout"] });
  asked = 0;
  url = test.name;
});

test("two that ask for the same at once are one request", async () => {
  const both = await Promise.all([askShared(url, ask, signal()), askShared(url, ask, signal())]);
  assert.equal(asked, 1);
  assert.equal(both[0], both[1]);
});

test("an answer serves as long as it is fresh, or until somebody wants a new one", async () => {
  await askShared(url, ask, signal());
  mock.timers.setTime(FRESH - 1);
  assert.equal((await askShared(url, ask, signal())).data, 1);
  assert.equal(known(url)?.age, FRESH - 1);
  assert.equal((await askShared(url, ask, signal(), true)).data, 2);
  mock.timers.setTime(3 * FRESH);
  assert.equal(known(url), null);
  assert.equal((await askShared(url, ask, signal())).data, 3);
});

test("what has failed is asked anew", async () => {
  const refused = () => Promise.reject(new ApiError(503, "away", "away"));
  await assert.rejects(askShared(url, refused, signal()));
  assert.equal((await askShared(url, ask, signal())).data, 1);
});

test("who leaves takes the answer away from nobody; the last one ends the request", async () => {
  let ended = false;
  let give: (value: Answer<unknown>) => void = () => undefined;
  const slow = (end: AbortSignal) => {
    end.addEventListener("abort", () => (ended = true));
    return new Promise<Answer<unknown>>((resolve) => (give = resolve));
  };
  const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
  const first = askShared(url, slow, one.signal);
  const second = askShared(url, slow, two.signal);
  one.abort();
  await assert.rejects(first);
  assert.equal(ended, false);
  give(answer("there"));
  assert.equal((await second).data, "there");
  const alone = askShared(url + "/other", slow, three.signal);
  three.abort();
  await assert.rejects(alone);
  assert.equal(ended, true);
});

function round(more: Partial<Question<unknown>>): { round: Round<unknown>; seen: unknown[] } {
  const seen: unknown[] = [];
  const of: Question<unknown> = {
    ask,
    answered: (one) => seen.push(one.data),
    failed: (error) => seen.push(error.code),
    every: 60_000,
    still: false,
    age: () => 0,
    resting: () => null,
    ...more,
  };
  return { round: new Round(of), seen };
}

async function pass(milliseconds: number): Promise<void> {
  await settled();
  mock.timers.tick(milliseconds);
  await settled();
}

test("asked again after its time, sooner after a failure or where the answer was older", async () => {
  let away = true;
  const fails = () => (away ? Promise.reject(new ApiError(503, "away", "")) : ask());
  const { round: of, seen } = round({ ask: fails, age: () => 20_000 });
  void of.run();
  away = true;
  await settled();
  away = false;
  await pass(10_000);
  assert.deepEqual(seen, ["away", 1]);
  await pass(39_000);
  assert.equal(asked, 1);
  await pass(1_000);
  assert.deepEqual(seen, ["away", 1, 2]);
  of.stop();
  await pass(120_000);
  assert.equal(asked, 2);
});

test("the past is asked once, nothing while it is paused, and what is hidden waits", async () => {
  const past = round({ still: true });
  void past.round.run();
  await pass(120_000);
  assert.deepEqual(past.seen, [1]);

  let rest: "paused" | "hidden" | null = "hidden";
  const { round: of, seen } = round({ resting: () => rest });
  void of.run();
  await pass(120_000);
  assert.deepEqual(seen, [2]);
  rest = null;
  of.tick();
  await settled();
  assert.deepEqual(seen, [2, 3]);
  rest = "paused";
  of.tick();
  await settled();
  assert.deepEqual(seen, [2, 3]);
  of.stop();
});
