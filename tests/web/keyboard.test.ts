// The main path by keys alone: where the focus is can be seen at each step, and it is never lost.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { calm, launch, noBrowser, open, type Watched } from "./browser.ts";
import { eventually } from "./screen.ts";
import { World } from "./world.ts";

interface Focus {
  readonly name: string; // "" is the page itself: it is lost
  readonly seen: boolean; // a line is around it, or it is the frame of a whole view
  readonly within: boolean; // the window
  readonly inDialog: boolean;
}

async function focus(page: Page): Promise<Focus> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return { name: "", seen: false, within: false, inDialog: false };
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const label = (at as HTMLInputElement).labels?.[0]?.childNodes[0]?.textContent ?? at.textContent ?? "";
    return {
      name: (at.id === "content" ? "main" : (at.getAttribute("aria-label") ?? label)).trim(),
      // The parts of a time are marked by the browser, each by itself.
      seen:
        at.id === "content" || at.matches("[type=datetime-local]") || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1),
      within: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
      inDialog: at.closest("[role=dialog]") !== null,
    };
  });
}

// Focus is somewhere, and can be seen.
async function there(page: Page, after: string): Promise<Focus> {
  let found: Focus | undefined;
  await eventually(async () => {
    found = await focus(page);
    const { name, seen, within } = found;
    assert.ok(name !== "" && seen && within, `${after}: "${name}" ${seen ? "" : "is not seen"} ${within ? "" : "is outside"}`);
  }, 5000);
  assert.ok(found);
  return found;
}

async function tabTo(page: Page, name: string, key = "Tab"): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press(key);
    if ((await there(page, `after Tab ${i}`)).name === name) return;
  }
  assert.fail(`Tab does not lead to ${name}`);
}

const here = (page: Page) => page.evaluate(() => location.hash);

describe("by keys alone", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let seen: Watched;
  let page: Page;
  before(async () => {
    [world, browser] = await Promise.all([World.start({ nodes: 3 }), launch()]);
    seen = await open(browser, world.url("/"));
    page = seen.page;
    await page.waitForSelector("h1:text-is('Overview')");
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const heading = (words: string) => page.waitForSelector(`h1:text-is('${words}')`);
  const current = () => page.getAttribute(".tbody [aria-current=true]", "aria-rowindex");

  it("the first Tab skips to the content", async () => {
    await page.keyboard.press("Tab");
    assert.equal((await there(page, "Tab")).name, "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal((await there(page, "Enter")).name, "main");
  });

  it("a link of the menu leads to its view", async () => {
    await page.reload();
    await heading("Overview");
    await tabTo(page, "Nodes");
    await page.keyboard.press("Enter");
    await heading("Nodes");
    assert.equal((await there(page, "Enter")).name, "Nodes");
  });

  it("g and a letter lead to a view, / to its filter, Escape out of it", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("g");
    await heading("GPUs");
    await page.waitForSelector(".tbody [role=row]");
    await there(page, "g g");
    await page.keyboard.press("/");
    assert.equal((await there(page, "/")).name, "Filter");
    // All GPUs of this one are always there; of the second one comes and goes.
    await page.keyboard.type("node=gpu-node-3");
    await page.waitForFunction(() => location.hash.includes("node=gpu-node-3"));
    await eventually(async () => assert.equal(await page.locator(".tbody [role=row]").count(), 4));
    assert.equal((await there(page, "typing")).name, "Filter");
    // The first closes the names that it offers, where it does.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    assert.notEqual((await there(page, "Escape")).name, "Filter");
  });

  it("j and k go from row to row, Enter opens one, a step back returns", async () => {
    for (const key of ["j", "j", "j", "k"]) await page.keyboard.press(key);
    await eventually(async () => assert.equal(await current(), "3"));
    await there(page, "j j j k");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".gpu-title:has-text('gpu-node-3, GPU 1')");
    await there(page, "Enter");
    await page.goBack();
    await page.waitForSelector(".tbody [role=row]");
    assert.match(await here(page), /node=gpu-node-3/);
    await there(page, "a step back");
  });

  it("? shows the keys, which keep the focus until Escape gives it back", async () => {
    await tabTo(page, "CSV");
    for (const _ of ["once", "again"]) {
      await page.keyboard.press("?");
      await page.waitForSelector("[role=dialog]");
      assert.equal((await there(page, "?")).inDialog, true);
      for (const key of ["Tab", "Tab", "Shift+Tab"]) {
        await page.keyboard.press(key);
        assert.equal((await there(page, key)).inDialog, true, `${key} stays in the dialog`);
      }
      await page.keyboard.press("Escape");
      await page.waitForSelector("[role=dialog]", { state: "detached" });
      assert.equal((await there(page, "Escape")).name, "CSV");
    }
  });

  it("what time is looked at, the theme and a pause are chosen", async () => {
    await page.reload();
    await heading("GPUs");
    await tabTo(page, "Time");
    await page.keyboard.press("ArrowUp");
    await page.waitForFunction(() => location.hash.includes("window=6h"));
    assert.equal((await there(page, "ArrowUp")).name, "Time");
    await tabTo(page, "Theme");
    await page.keyboard.press("d");
    await page.waitForFunction(() => document.documentElement.dataset["theme"] === "dark");
    assert.equal((await there(page, "d")).name, "Theme");
    await tabTo(page, "Pause", "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("button[aria-pressed=true]");
    assert.equal((await there(page, "Enter")).name, "Resume");
    await page.keyboard.press("p");
    await page.waitForSelector("button[aria-pressed=false]");
    calm(seen, /status of 50[34]/);
  });

  it("a column is sorted by and chosen", async () => {
    await tabTo(page, "Columns");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".chooser[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".chooser:not([open])");
    assert.equal((await there(page, "Escape")).name, "Columns");
    await tabTo(page, "Utilization");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("sort=-utilization"));
    assert.match((await there(page, "Enter")).name, /^Utilization/);
  });
});
