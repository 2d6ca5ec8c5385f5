// The dashboard before a large fleet: how soon rows are there, what a frame costs the page's main
// thread while a table is scrolled and sorted, and what a tab that was left open holds.
//
//   bench/load/dashboard.sh        NODES (1250), GPUS_PER_NODE (8), MINUTES (10) it is left open,
//                                  SURROUNDINGS (none; gpu)
//
// Costs are of Chromium's own trace: the top tasks of the page's main thread. A browser without a
// GPU paints on other threads, of which machines with one have no need.
import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "playwright-core";
import { launch, open } from "../../tests/web/browser.ts";
import { World } from "../../tests/web/world.ts";

const NODES = Number(process.env["NODES"] ?? 1250);
const GPUS = Number(process.env["GPUS_PER_NODE"] ?? 8);
const SURROUNDINGS = process.env["SURROUNDINGS"] === "gpu" ? "gpu" : "none"; // series of more fields
const MINUTES = Number(process.env["MINUTES"] ?? 10);
const ROW = "[role=table] .tbody [role=row]";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number; // microseconds
  readonly args: { readonly name?: string };
}

function say(what: string, value: string): void {
  process.stdout.write(`| ${what} | ${value} |\n`);
}

function part(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

// Of the page itself, not of its workers or another process: where its script runs.
function mainTasks(events: readonly TraceEvent[]): number[] {
  const main = new Set<string>();
  for (const one of events)
    if (one.name === "thread_name" && one.args.name === "CrRendererMain") main.add(`${one.pid} ${one.tid}`);
  return events
    .filter((one) => one.name === "RunTask" && one.ph === "X" && main.has(`${one.pid} ${one.tid}`))
    .map((one) => (one.dur ?? 0) / 1000)
    .filter((ms) => ms > 0.1)
    .sort((a, b) => a - b);
}

async function traced(session: CDPSession, act: () => Promise<void>): Promise<number[]> {
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] },
  });
  await act();
  const complete = new Promise<void>((resolve) => session.once("Tracing.tracingComplete", () => resolve()));
  await session.send("Tracing.end");
  await complete;
  session.removeAllListeners("Tracing.dataCollected");
  return mainTasks(events);
}

// Wheel by wheel, one in each frame; what passed between two frames, in ms.
function scroll(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const table = document.querySelector("[role=table]");
    if (table === null) return [];
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const gaps: number[] = [];
    let before = await frame();
    for (let i = 0; i < 240; ++i) {
      table.scrollTop += i % 60 === 59 ? 40_000 : 120;
      const now = await frame();
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((a, b) => a - b);
  });
}

function said(ms: readonly number[], bound = 16): string {
  const over = ms.filter((one) => one > bound).length;
  const parts = [0.5, 0.95, 0.99].map((share) => part(ms, share).toFixed(1)).join(" / ");
  return `${parts} / ${(ms.at(-1) ?? 0).toFixed(1)} ms; ${over} of ${ms.length} over ${bound}`;
}

async function firstRows(browser: Browser, url: string): Promise<Page> {
  const { page } = await open(browser, "about:blank");
  const begun = Date.now();
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForSelector(ROW);
  say("first rows, from the address on", `${Date.now() - begun} ms`);
  return page;
}

async function sorting(page: Page, session: CDPSession): Promise<void> {
  const heads = page.locator("[role=columnheader] button");
  const count = Math.min(await heads.count(), 6);
  const waits: number[] = [];
  const tasks = await traced(session, async () => {
    for (let i = 0; i < count; ++i) {
      const before = await page.locator(ROW).first().textContent();
      const begun = Date.now();
      await heads.nth(i).click();
      await page
        .waitForFunction(
          ([row, text]) => document.querySelector(row ?? "")?.textContent !== text,
          [ROW, before],
          { timeout: 3000 },
        )
        .catch(() => undefined);
      waits.push(Date.now() - begun);
    }
  });
  say("sorting: tasks, p50 / p95 / p99 / most", said(tasks));
  say("sorting: other rows are there after", `${waits.join(", ")} ms`);
}

// Private memory of the process that has the page.
function privateMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].map((match) => Number(match[1]));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

async function memory(browser: Browser, session: CDPSession, when: string): Promise<void> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const whole = await browser.newBrowserCDPSession();
  const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
  const largest = Math.max(
    ...processInfo.filter((one) => one.type === "renderer").map((one) => privateMegabytes(one.id)),
  );
  const heap = (usedSize / 1048576).toFixed(0);
  say(`memory ${when}`, `${largest.toFixed(0)} MiB of its own in the process of the tab, of it the page's heap ${heap}`);
}

async function measure(browser: Browser, world: World): Promise<void> {
  const page = await firstRows(browser, world.url("/#/gpus"));
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  let gaps: number[] = [];
  const tasks = await traced(session, async () => {
    gaps = await scroll(page);
  });
  say("scrolling: tasks, p50 / p95 / p99 / most", said(tasks));
  say("scrolling: between frames, of 16.7", said(gaps, 17));
  await sorting(page, session);
  await memory(browser, session, "then");
  for (let minute = 1; minute <= MINUTES; ++minute) await page.waitForTimeout(60_000);
  await memory(browser, session, `after ${MINUTES} minutes live`);
}

const world = await World.start({
  nodes: NODES,
  gpus: GPUS,
  surroundings: SURROUNDINGS,
  scrape: "15s",
  server: { CACHE_TTL: "2s", REQUEST_TIMEOUT: "60s", PROMETHEUS_TIMEOUT: "55s", PROMETHEUS_MAX_RESPONSE_BYTES: "256MiB" },
});
const browser = await launch();
process.stdout.write(`| dashboard, ${NODES * GPUS} GPUs | |\n|---|---|\n`);
try {
  await measure(browser, world);
} finally {
  await browser.close();
  await world.stop();
}
