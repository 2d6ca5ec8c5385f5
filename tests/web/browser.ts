// Debian's Chromium, and pages of it that tell what went wrong in them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

// Its modules lie with the page's sources.
const require = createRequire(join(import.meta.dirname, "../../web/package.json"));
const { chromium } = require("playwright-core") as typeof import("playwright-core");

export const CHROMIUM = process.env["GPUMON_CHROMIUM"] ?? "/usr/bin/chromium";
export const noBrowser = existsSync(CHROMIUM) ? false : `${CHROMIUM} is not there`;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

// A page whose errors fail the test that looked at it: see `calm`.
export interface Watched {
  readonly page: Page;
  readonly errors: string[];
}

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}

// Nothing was said on the console, but for what `allowed` matches.
export function calm(watched: Watched, allowed?: RegExp): void {
  assert.deepEqual(
    watched.errors.filter((error) => !allowed?.test(error)),
    [],
  );
}

// Serious and critical findings of axe-core.
export async function accessibility(page: Page): Promise<string[]> {
  const source = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  // Not as a <script>: the page's policy refuses what is not its own.
  await page.evaluate(source);
  const result = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations;
  });
  return result
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id} (${one.impact}): ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

// Kept where GPUMON_SCREENSHOTS names a folder.
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["GPUMON_SCREENSHOTS"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
