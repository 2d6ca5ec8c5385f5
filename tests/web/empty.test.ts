// Where there is nothing to show the next step is told, on each view; nothing is made up.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { calm, launch, noBrowser, open } from "./browser.ts";
import { eventually, read } from "./screen.ts";
import { VIEWS } from "./table.ts";
import { World } from "./world.ts";

// What each view says where Prometheus has no GPU.
const STEPS: Record<string, RegExp> = {
  overview: /No GPU is known\. Is a GPU exporter scraped by the connected Prometheus\?.*gpuctl doctor/,
  nodes: /No node with GPUs is known\. Is a GPU exporter scraped.*gpuctl doctor/,
  "nodes?show=table": /No node with GPUs is known\..*gpuctl doctor/,
  gpus: /There are no GPUs yet\..*gpuctl doctor/,
  "gpus?node=a": /No GPU passes these filters\. Take some of them away/,
  processes: /No process is known on any GPU\. Either none runs, or no exporter/,
  workloads: /No pod holds a GPU.*Pods are known where/,
  users: /No process tells its user\..*gpuctl doctor/,
  idle: /Prometheus has no GPU in this window\..*Nobody held an idle GPU/,
  "idle?show=missing": /No GPU is missing/,
  health: /No GPU is known\. Is a GPU exporter scraped/,
  "health?show=history": /No snapshots are stored\..*gpu-monitoring-api collect/,
  events: /Nothing happened to GPUs in this window\./,
  "events?tab=alerts": /No alert is firing or pending\..*alerting rules/,
  tasks: /No pod asks for GPUs.*kube-state-metrics/,
  "tasks?source=hakuriver": /Set HAKURIVER_URL to its address/,
  vps: /No HakuRiver host.*HAKURIVER_URL/,
  api: /Choose a route/,
};

const viewOf = (place: string) => place.replace(/\?.*/, "");
const linkTo = (world: World, place: string) =>
  world.url(`/#/${place}${place.includes("?") ? "&" : "?"}window=1h`);

describe("a Prometheus without GPUs", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start({ page: () => "some_other 1\n", empty: true }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is told of on each view, with what to do next", async () => {
    assert.deepEqual([...new Set(Object.keys(STEPS).map(viewOf))].sort(), [...VIEWS].sort());
    const seen = await open(browser, world.url("/"));
    for (const [place, step] of Object.entries(STEPS)) {
      await seen.page.goto(linkTo(world, place));
      await eventually(async () => {
        const shown = await read(seen.page);
        assert.equal(shown.loading, false, `${place} is there`);
        assert.match(shown.text, step, place);
        assert.doesNotMatch(shown.text, /(^| )0 (%|°C|W|GiB)/, `${place} makes nothing up`);
      });
      assert.equal(await seen.page.locator(".banner-bad").count(), 0, `${place}: Prometheus is there`);
    }
    calm(seen, /status of 50[34]/);
    await seen.page.context().close();
  });

  it("of one GPU says that it is not shown, and where to look", async () => {
    const seen = await open(browser, world.url("/#/gpus/node-1/0"));
    await seen.page.waitForSelector("text=This GPU is not shown now.");
    const links = await seen.page.locator(".empty a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    assert.match(links.join(" "), /#\/events\?node=node-1&gpu=0 #\/gpus\?node=node-1/);
    await seen.page.context().close();
  });
});

describe("a Prometheus that was never reached", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start({ later: true }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is told of on each view, with what to do next, until it is there", async () => {
    const seen = await open(browser, world.url("/"));
    const { page } = seen;
    for (const view of VIEWS) {
      await page.goto(linkTo(world, view));
      // Those of the server itself, and of another host, do without.
      if (view === "api" || view === "vps") continue;
      await page.waitForSelector(".banner-bad");
      const banner = await page.innerText(".banner-bad");
      assert.match(banner, /Prometheus gives nothing: .*PROMETHEUS_URL.*Nothing is shown until it does/);
      await eventually(async () => {
        const shown = await read(page);
        assert.equal(shown.loading, false, `${view} does not wait for ever`);
        assert.match(shown.text, /PROMETHEUS_URL|Try again/, view);
        assert.doesNotMatch(shown.text, /(^| )0 (%|°C|W|GiB|GPUs)|Nothing: no GPU|Nothing happened/, view);
      });
    }
    assert.match(await page.innerText(".freshness"), /no data yet/);
    await page.goto(world.url("/#/gpus"));
    await world.startPrometheus();
    await page.waitForSelector("[role=table] .tbody [role=row]", { timeout: 60_000 });
    await page.waitForSelector(".banner-bad", { state: "detached" });
    assert.match(await page.innerText(".freshness"), /data is \d+ s old/);
    calm(seen, /status of 50[0-9]|Failed to load resource/);
    await page.context().close();
  });
});
