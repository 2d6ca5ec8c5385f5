// Prometheus is away for longer than old values may be shown: the lists answer with errors, and no
// view says that there is nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { calm, launch, noBrowser, open, type Watched } from "./browser.ts";
import { eventually, read } from "./screen.ts";
import { VIEWS } from "./table.ts";
import { until, World } from "./world.ts";

const FAILED = /status of 50[0-9]|Failed to load resource/;
// What a view says where there is none, or 0 of it.
const NONE =
  /There are no GPUs|No exporter|No GPU|No node with|No process|No pod|Nobody held|Nothing: |No alert|No snapshots/;
const AWAY = /Prometheus gives nothing new since [\d:. APM]+: .*cannot be reached.* (s|min) old/;
// Those of the server itself, and of another host, do without.
const PLACES = [
  ...VIEWS.filter((view) => view !== "api" && view !== "vps"),
  "gpus?show=map",
  "gpus?show=map&color=health",
  "nodes?show=table",
  "nodes/gpu-node-1",
  "gpus/gpu-node-1/0",
  "idle?show=missing",
  "health?show=levels",
  "events?tab=alerts",
];

describe("a Prometheus that is away for long", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start({ server: { MAX_STALE: "3s" } }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const link = (place: string) => world.url(`/#/${place}${place.includes("?") ? "&" : "?"}window=1h`);
  const goAway = async () => {
    await world.end("prometheus");
    await until("an error", async () => (await fetch(world.url("/api/v1/gpu/metrics"))).status === 502);
  };
  const comeBack = async (page: Page) => {
    await world.startPrometheus();
    await page.waitForSelector(".banner-bad", { state: "detached", timeout: 60_000 });
  };
  const numbers = async (page: Page, of: string) =>
    (await page.locator(of).allInnerTexts()).map((text) => text.match(/(\d+)\s*$/)?.[1] ?? "");

  it("leaves the GPUs in the table and on the map, as old ones", async () => {
    const table = await open(browser, link("gpus"));
    const map = await open(browser, link("gpus?show=map"));
    const node = await open(browser, link("nodes/gpu-node-1"));
    const seen: Watched[] = [table, map, node];
    await table.page.waitForSelector(".count[data-count='8'] small:text-is('live')");
    await map.page.waitForSelector(".heat-legend");
    await node.page.waitForSelector(".node-gpus tbody tr");
    await goAway();
    for (const { page } of seen) {
      await eventually(async () => assert.match(await page.innerText(".banner-bad"), AWAY));
      assert.doesNotMatch((await read(page)).text, NONE);
    }
    await table.page.waitForSelector(".count[data-count='8'] small:text-is('old values')");
    assert.equal(await table.page.locator(".tbody [role=row]").count(), 8);
    const cells = (await numbers(map.page, ".heat-legend li")).map(Number);
    assert.equal(
      cells.reduce((sum, one) => sum + one, 0),
      8,
      "each GPU is somewhere on the map",
    );
    assert.equal(await node.page.locator(".node-gpus tbody tr").count(), 4);
    await comeBack(table.page);
    await table.page.waitForSelector(".count[data-count='8'] small:text-is('live')");
    for (const one of seen) {
      calm(one, FAILED);
      await one.page.context().close();
    }
  });

  it("is told of on each view, which says of nothing that there is none", async () => {
    const pages = new Map<string, Watched>();
    const looked = ["overview", "processes", "users", "events?tab=alerts", "workloads?by=owner"];
    for (const place of looked) pages.set(place, await open(browser, link(place)));
    for (const { page } of pages.values()) {
      await eventually(async () => {
        assert.equal((await read(page)).loading, false);
        assert.match(await page.innerText(".freshness"), /data is \d+ s old/);
      });
    }
    await goAway();
    // What was there stays, and is old; what was looked at first now is not there.
    for (const place of ["overview", "processes", "users", "events?tab=alerts"]) {
      const { page } = pages.get(place) as Watched;
      await eventually(async () => {
        assert.match(await page.innerText(".banner-bad"), AWAY, place);
        assert.doesNotMatch((await read(page)).text, NONE, place);
      });
    }
    const { page } = pages.get("workloads?by=owner") as Watched;
    for (const place of PLACES) {
      await page.goto(link(place));
      await eventually(async () => {
        const { loading, text } = await read(page);
        assert.equal(loading, false, `${place} does not wait for ever`);
        assert.match(text, /cannot be shown|Not known|stopped|no reply|Try again/, place);
        assert.doesNotMatch(text, NONE, place);
        assert.doesNotMatch((await page.locator(".count").allInnerTexts()).join(), /\d/, place);
        assert.match(await page.innerText(".banner-bad"), AWAY, place);
      });
    }
    await comeBack(page);
    for (const one of pages.values()) {
      calm(one, FAILED);
      await one.page.context().close();
    }
  });
});
