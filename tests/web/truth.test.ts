// Each view shows the numbers that the API gives for the same instant.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { calm, launch, noBrowser, open, type Watched } from "./browser.ts";
import { until, World } from "./world.ts";

type Row = Record<string, unknown>;

// The cells of a table by the titles of its columns. A table shows what fits its height: it is made
// as high as it has to be.
async function table(page: Page): Promise<Record<string, string>[]> {
  await page.setViewportSize({ width: 2600, height: 2400 });
  await page.waitForSelector("[role=table] [role=row] [role=rowheader]");
  return page.evaluate(() => {
    const text = (element: Element) => (element.textContent ?? "").replace(/[▲▼]/g, "").trim();
    const titles = [...document.querySelectorAll("[role=table] [role=columnheader]")].map(text);
    return [...document.querySelectorAll("[role=table] [role=row]")]
      .map((row) => [...row.querySelectorAll("[role=rowheader], [role=cell]")].map(text))
      .filter((cells) => cells.length > 0)
      .map((cells) => Object.fromEntries(cells.map((cell, i) => [titles[i] ?? "", cell])));
  });
}

const whole = (value: unknown) => `${Number(value).toFixed(0)} %`;

describe("what is shown is what the API says", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let at = "";
  before(async () => {
    [world, browser] = await Promise.all([World.start(), launch()]);
    // Processes and pods too, and then some time.
    const meta = await until("an instant", async () => {
      const answer = await fetch(world.url("/api/v1/gpu/workloads"));
      const body = (await answer.json()) as { data: Row[]; meta: { as_of: string } };
      return body.data.length > 0 ? body.meta : undefined;
    });
    at = new Date(Date.parse(meta.as_of) + 3000).toISOString();
    await until("the instant has passed", async () => Date.now() > Date.parse(at) + 3000);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const view = (place: string): Promise<Watched> => open(browser, world.url(`/#/${place}at=${at}`));

  it("in the table of GPUs", async () => {
    const rows = await world.get<Row[]>(`/api/v1/gpu/metrics?at=${at}`);
    const seen = await view("gpus?");
    const shown = await table(seen.page);
    assert.equal(shown.length, rows.length);
    for (const [i, row] of rows.entries()) {
      assert.equal(shown[i]?.["Node"], row["node_name"]);
      assert.equal(shown[i]?.["GPU"], row["gpu_id"]);
      const utilization = row["utilization"] === null ? "–" : whole(row["utilization"]);
      assert.equal(shown[i]?.["Utilization"], utilization);
      assert.equal(shown[i]?.["Temperature"], row["temperature"] === null ? "–" : `${row["temperature"]} °C`);
    }
    calm(seen);
    await seen.page.context().close();
  });

  it("in the table of processes", async () => {
    const rows = await world.get<Row[]>(`/api/v1/gpu/processes?at=${at}`);
    const seen = await view("processes?");
    const shown = await table(seen.page);
    assert.deepEqual(
      shown.map((row) => row["PID"]).sort(),
      rows.map((row) => String(row["pid"])).sort(),
    );
    await seen.page.context().close();
  });

  it("in the nodes", async () => {
    const rows = await world.get<Row[]>(`/api/v1/gpu/nodes?at=${at}`);
    const seen = await view("nodes?show=table&");
    const shown = await table(seen.page);
    assert.deepEqual(
      shown.map((row) => row["Node"]),
      rows.map((row) => row["node_name"]),
    );
    await seen.page.context().close();
  });

  it("in the totals of the overview", async () => {
    const [fleet] = await world.get<Row[]>(`/api/v1/gpu/summary?at=${at}`);
    const seen = await view("overview?");
    await seen.page.waitForSelector("text=GPUs by state");
    const words = (await seen.page.innerText("main")).replace(/\s+/g, " ");
    for (const [word, field] of [
      ["busy", "busy"],
      ["held, idle", "idle_held"],
      ["free", "free"],
      ["healthy", "level_healthy"],
      ["critical", "level_critical"],
    ] as const) {
      assert.ok(words.includes(`${word} ${fleet?.[field]}`), `${word} ${fleet?.[field]} in ${words.slice(0, 900)}`);
    }
    calm(seen);
    await seen.page.context().close();
  });

  it("and the ledger's parts add up to its whole", async () => {
    const seen = await open(browser, world.url("/#/idle?window=1h"));
    await seen.page.waitForFunction(() => /= [\d.]+ GPU-hours/.test(document.body.innerText));
    const words = await seen.page.innerText("main");
    const sum = /busy ([\d.]+) \+ held, idle ([\d.]+) \+ free ([\d.]+) \+ unhealthy ([\d.]+) \+ unknown ([\d.]+) = ([\d.]+) GPU-hours/.exec(words);
    assert.ok(sum, words.slice(0, 600));
    const [, ...numbers] = sum.map(Number);
    const whole = numbers.pop() ?? 0;
    assert.ok(Math.abs(numbers.reduce((a, b) => a + b, 0) - whole) < 0.26, "but for rounding");
    await seen.page.context().close();
  });
});
