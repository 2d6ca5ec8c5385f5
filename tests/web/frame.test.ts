// The frame around the views: places, freshness, the token, the keyboard.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { calm, launch, noBrowser, open } from "./browser.ts";
import { World } from "./world.ts";

const LONG = { timeout: 30_000 };

describe("the frame", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("shows how old the data is and takes a view from the URL", async () => {
    const seen = await open(browser, world.url("/#/gpus"));
    await seen.page.waitForSelector("h1:text-is('GPUs')");
    await seen.page.waitForFunction(() => /data is \d+ s old/.test(document.body.innerText));
    assert.equal(await seen.page.title(), "GPUs · GPU Monitoring");
    calm(seen);
    await seen.page.context().close();
  });

  it("pauses: nothing is asked for until it goes on", async () => {
    const seen = await open(browser, world.url("/"));
    await seen.page.waitForFunction(() => /data is \d+ s old/.test(document.body.innerText));
    await seen.page.keyboard.press("p");
    await seen.page.waitForSelector("button[aria-pressed=true]");
    await seen.page.waitForFunction(() => /data is [7-9] s old \(paused\)/.test(document.body.innerText), null, LONG);
    await seen.page.keyboard.press("p");
    await seen.page.waitForFunction(() => /data is [0-3] s old/.test(document.body.innerText), null, LONG);
    calm(seen);
    await seen.page.context().close();
  });

  it("says so when Prometheus is away, and takes it back", async () => {
    const seen = await open(browser, world.url("/"));
    await seen.page.waitForFunction(() => /data is \d+ s old/.test(document.body.innerText));
    await world.end("prometheus");
    await seen.page.waitForSelector(".banner-bad", LONG);
    assert.match(await seen.page.innerText(".banner-bad"), /old/);
    await world.startPrometheus();
    await seen.page.waitForSelector(".banner-bad", { state: "detached", timeout: 30_000 });
    calm(seen, /503|502|504|Failed to load resource/);
    await seen.page.context().close();
  });

  it("goes to views by keyboard and shows its keys", async () => {
    const seen = await open(browser, world.url("/"));
    await seen.page.waitForSelector("h1:text-is('Overview')");
    await seen.page.keyboard.press("g");
    await seen.page.keyboard.press("g");
    await seen.page.waitForSelector("h1:text-is('GPUs')");
    await seen.page.keyboard.press("?");
    await seen.page.waitForSelector("[role=dialog]");
    await seen.page.keyboard.press("Escape");
    await seen.page.waitForSelector("[role=dialog]", { state: "detached" });
    calm(seen);
    await seen.page.context().close();
  });

  it("says that a view is not there", async () => {
    const seen = await open(browser, world.url("/#/nonsense"));
    await seen.page.waitForSelector("text=There is no such view.");
    calm(seen);
    await seen.page.context().close();
  });
});

describe("a server with a token below a path", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    const folder = (await import("node:fs")).mkdtempSync(join((await import("node:os")).tmpdir(), "gpumon-token-"));
    const file = join(folder, "token");
    writeFileSync(file, "s3cret-token\n", { mode: 0o600 });
    [world, browser] = await Promise.all([
      World.start({ server: { API_BEARER_TOKEN_FILE: file, BASE_PATH: "/gpu" } }),
      launch(),
    ]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is asked for once, kept for the tab, and streams too", async () => {
    const link = world.url("/gpu#/gpus?sort=-utilization&node=gpu-node-1&show=table");
    const seen = await open(browser, link);
    const { page } = seen;
    const asked: { url: string; shown: string | undefined; type: string }[] = [];
    page.context().on("request", (request) => {
      asked.push({ url: request.url(), shown: request.headers()["authorization"], type: request.resourceType() });
    });
    await page.waitForSelector("[role=dialog] input[type=password]:focus");
    for (const key of ["Tab", "Tab", "Shift+Tab"]) await page.keyboard.press(key);
    assert.equal(await page.evaluate(() => document.activeElement?.closest("[role=dialog]") !== null), true);
    await page.fill("input[type=password]", "wrong");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=The server refused this token.");
    await page.fill("input[type=password]", "s3cret-token");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=table] [role=row]");
    await page.waitForSelector(".count small:text-is('live')");
    await page.reload();
    await page.waitForSelector("[role=table] [role=row]");
    await page.waitForSelector(".count small:text-is('live')");
    assert.equal(await page.locator("[role=dialog]").count(), 0);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    assert.equal(new URL(page.url()).hash, new URL(link).hash, "the link says what it said");

    const ours = asked.filter(({ url }) => url.includes("/api"));
    const streams = ours.filter(({ url }) => new URL(url).pathname === "/gpu/api/v1/gpu/stream");
    assert.ok(streams.length > 0 && streams.every(({ type }) => type === "fetch"), JSON.stringify(streams));
    assert.equal(streams.at(-1)?.shown, "Bearer s3cret-token");
    for (const { url } of asked) {
      assert.match(new URL(url).pathname, /^\/gpu(\/|$)/, "all is below the path");
      assert.doesNotMatch(url, /s3cret/);
    }

    // Another tab has to be told.
    const other = await page.context().newPage();
    await other.goto(link);
    await other.waitForSelector("[role=dialog] input[type=password]");
    await other.keyboard.type("s3cret-token");
    await other.keyboard.press("Enter");
    await other.waitForSelector("[role=table] [role=row]");
    await other.evaluate(() => document.body.setAttribute("data-same", ""));
    await other.click("nav a:text-is('Nodes')");
    await other.waitForSelector("h1:text-is('Nodes')");
    assert.equal(await other.locator("body[data-same]").count(), 1, "the page was not loaded anew");
    calm(seen, /401|Failed to load resource/);
    await page.context().close();
  });
});
