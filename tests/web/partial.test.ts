// What is not known is hatched, with the reason, and never a 0: an exporter that is down, a metric
// that nobody exports, a query that fails, a Prometheus that has stopped.
import assert from "node:assert/strict";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { calm, launch, noBrowser, open } from "./browser.ts";
import { eventually, read } from "./screen.ts";
import { World } from "./world.ts";

// Two exporters tell of the same GPU: one of its load, the other of its heat. Its power nobody
// tells.
const GPU = 'node="gpu-a",gpu="0",gpu_name="NVIDIA A100",uuid="GPU-1"';
let scrapes = 0;
let heatIsDown = false;

function load(): string {
  scrapes += 1;
  return [
    `nvidia_gpu_utilization_percent{${GPU}} ${1 + (scrapes % 98)}`,
    `nvidia_gpu_used_memory_bytes{${GPU}} 1073741824`,
    `nvidia_gpu_total_memory_bytes{${GPU}} 4294967296`,
    `nvidia_gpu_free_memory_bytes{${GPU}} 3221225472`,
    "",
  ].join("\n");
}

function heat(): string | null {
  return heatIsDown ? null : `nvidia_gpu_temperature_celsius{${GPU}} 41\n`;
}

// Between the server and Prometheus: refuses the queries that match.
class Refuser {
  refuses: RegExp | null = null;
  private server: Server | undefined;

  async start(prometheus: string): Promise<string> {
    this.server = createServer((asked, answer) => {
      const parts: Buffer[] = [];
      asked.on("data", (part: Buffer) => parts.push(part));
      asked.on("end", () => {
        const body = Buffer.concat(parts);
        const query = decodeURIComponent((asked.url ?? "") + "\n" + body.toString()).replaceAll("+", " ");
        if (this.refuses?.test(query)) {
          answer.writeHead(422, { "Content-Type": "application/json" });
          answer.end(JSON.stringify({ status: "error", errorType: "execution", error: "refused by a test" }));
          return;
        }
        const { method, headers } = asked;
        const on = request(prometheus + asked.url, { method: method ?? "GET", headers }, (found) => {
          answer.writeHead(found.statusCode ?? 502, found.headers);
          found.pipe(answer);
        });
        on.on("error", () => answer.destroy());
        on.end(body);
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}

// What stands in the column of the one GPU's row, or in the tile, and why it is not known.
interface Shown {
  readonly text: string;
  readonly why: string | null;
  readonly hatched: boolean;
}

async function shownIn(page: Page, selector: string, name: string): Promise<Shown> {
  return page.evaluate(
    ([from, title]) => {
      const clean = (text: string | null) => (text ?? "").replace(/[▲▼●○◐✖■]/g, "").trim();
      const titles = [...document.querySelectorAll(`${from} [role=columnheader], ${from} dt, ${from} tr > th`)];
      const at = titles.findIndex((one) => clean(one.textContent) === title);
      const found = titles[at];
      const cell =
        found?.getAttribute("role") === "columnheader"
          ? document.querySelectorAll(`${from} .tbody [role=row]:first-child > *`)[at]
          : found?.parentElement?.querySelector("dd, td");
      const unknown = cell?.querySelector(".unknown");
      return {
        text: clean(cell?.textContent ?? "nothing is there"),
        why: unknown?.getAttribute("title") ?? null,
        hatched: unknown ? getComputedStyle(unknown).backgroundImage.includes("gradient") : false,
      };
    },
    [selector, name] as const,
  );
}

const unknown = (why: string): Shown => ({ text: "–", why: `unknown: ${why}`, hatched: true });
const known = (text: string): Shown => ({ text, why: null, hatched: false });

const TABLE = "[role=table]";
const LIST = "/#/gpus?columns=node_name,gpu_id,utilization,temperature,power";
const FAILED = /status of 50[0-9]|Failed to load resource/;

describe("what is not known", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let page: Page;
  const refuser = new Refuser();
  before(async () => {
    const server = { PROMETHEUS_TIMEOUT: "1500ms", REQUEST_TIMEOUT: "2s" };
    const between = (prometheus: string) => refuser.start(prometheus);
    [world, browser] = await Promise.all([World.start({ pages: [load, heat], between }), launch()]);
  });
  afterEach(async () => {
    refuser.refuses = null;
    heatIsDown = false;
    await page?.context().close();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
    refuser.stop();
  });

  const looking = async (place: string) => {
    const seen = await open(browser, world.url(place));
    page = seen.page;
    return seen;
  };
  const holds = (selector: string, name: string, shown: Shown) =>
    eventually(async () => assert.deepEqual(await shownIn(page, selector, name), shown));
  const says = (words: RegExp) => eventually(async () => assert.match((await read(page)).text, words));

  it("is what nobody exports", async () => {
    const seen = await looking(LIST);
    await holds(TABLE, "Temperature", known("41 °C"));
    await holds(TABLE, "Power", unknown("no exporter here offers it"));
    await page.goto(world.url("/#/overview?window=1h"));
    await holds(".tiles", "Power", unknown("no exporter here offers it"));
    await holds(".tiles", "Hottest", known("41 °C"));
    const untold = unknown("no pod asks for GPUs, or kube-state-metrics is not scraped");
    for (const state of ["running", "waiting", "completed", "failed"])
      await holds("[aria-label='Tasks by status']", state, untold);
    await page.goto(world.url("/#/gpus/gpu-a/0"));
    await holds(".values", "Power", unknown("no exporter here offers it"));
    await page.goto(world.url("/#/nodes/gpu-a"));
    await holds(".facts", "CPU", unknown("no exporter here offers it"));
    calm(seen, FAILED);
  });

  it("is what an exporter that is down showed", async () => {
    const seen = await looking(LIST);
    await holds(TABLE, "Temperature", known("41 °C"));
    heatIsDown = true;
    await holds(TABLE, "Temperature", unknown("the exporter that showed it is down"));
    assert.match((await shownIn(page, TABLE, "Utilization")).text, /^\d+ %$/);
    await page.goto(world.url("/#/overview?window=1h"));
    await holds(".tiles", "Hottest", unknown("the exporter that showed it is down"));
    heatIsDown = false;
    await page.goto(world.url(LIST));
    await holds(TABLE, "Temperature", known("41 °C"));
    calm(seen, FAILED);
  });

  it("is what a query that fails would have told", async () => {
    const seen = await looking(LIST);
    await holds(TABLE, "Temperature", known("41 °C"));
    assert.equal(await page.locator(".banner").count(), 0);
    refuser.refuses = /temperature/;
    await holds(TABLE, "Temperature", unknown("the query for it failed"));
    assert.match((await shownIn(page, TABLE, "Utilization")).text, /^\d+ %$/);
    await page.waitForSelector(".banner-warn:has-text('Some queries failed')");
    await page.goto(world.url("/#/overview?window=1h"));
    await holds(".tiles", "Hottest", unknown("the query for it failed"));
    await says(/Nothing is known to be the matter, but not all could be asked|Not known/);
    refuser.refuses = null;
    await page.goto(world.url(LIST));
    await holds(TABLE, "Temperature", known("41 °C"));
    await page.waitForSelector(".banner", { state: "detached" });
    calm(seen, FAILED);
  });

  it("is asked for again of the past too, where a query failed", async () => {
    const seen = await looking(LIST);
    await holds(TABLE, "Temperature", known("41 °C"));
    refuser.refuses = /temperature/;
    const at = new Date(Date.now() - 1000).toISOString();
    await page.goto(world.url(`${LIST}&at=${at}`));
    await holds(TABLE, "Temperature", unknown("the query for it failed"));
    refuser.refuses = null;
    await holds(TABLE, "Temperature", known("41 °C"));
    calm(seen, FAILED);
  });

  it("is whether an alert fires, where that cannot be asked; the others stay", async () => {
    const seen = await looking("/#/overview?window=1h");
    await says(/Nothing: no GPU is degraded/);
    refuser.refuses = /ALERTS/;
    await says(/Nothing is known to be the matter, but not all could be asked: see the line above/);
    await page.waitForSelector(".banner");
    // What others answer in the meantime does not take the line away.
    const gone = page.waitForSelector(".banner", { state: "detached", timeout: 8000 }).then(
      () => true,
      () => false,
    );
    assert.equal(await gone, false, "the line stays");
    await holds(".tiles", "Hottest", known("41 °C"));
    refuser.refuses = null;
    await page.waitForSelector(".banner", { state: "detached" });
    await says(/Nothing: no GPU is degraded/);
    calm(seen, FAILED);
  });

  const age = async () => Number(await page.getAttribute("[data-age]", "data-age"));
  const utilization = async () => (await shownIn(page, TABLE, "Utilization")).text;

  for (const how of ["SIGSTOP", "SIGKILL"] as const) {
    it(`stays as it was, and says how old it is, while Prometheus is away (${how})`, async () => {
      const seen = await looking(LIST);
      await eventually(async () => assert.match(await utilization(), /^\d+ %$/));
      if (how === "SIGSTOP") world.signal("prometheus", how);
      else await world.end("prometheus", how);
      await page.waitForSelector(".banner-bad", { timeout: 60_000 });
      assert.match(await page.innerText(".banner-bad"), /\d+ (s|min) old/);
      const [old, was] = [await age(), await utilization()];
      assert.match(was, /^\d+ %$/, "the last value is there, and is no 0");
      await eventually(async () => assert.ok((await age()) >= old + 2, "the age counts up"));
      assert.match(await page.innerText(".freshness"), /data is \d+ (s|min) old/);
      assert.equal(await utilization(), was);
      if (how === "SIGSTOP") world.signal("prometheus", "SIGCONT");
      else await world.startPrometheus();
      await page.waitForSelector(".banner-bad", { state: "detached", timeout: 60_000 });
      await eventually(async () => assert.notEqual(await utilization(), was, "numbers move again"));
      await eventually(async () => assert.ok((await age()) < 8, "and are young"));
      calm(seen, FAILED);
    });
  }
});
