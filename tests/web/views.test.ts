// Every view at every width in both themes: nothing is said on the console, nothing is wider than
// the window, and axe-core finds nothing serious.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import {
  accessibility,
  calm,
  launch,
  noBrowser,
  open,
  picture,
} from "./browser.ts";
import { VIEWS } from "./table.ts";
import { eventually } from "./screen.ts";
import { World } from "./world.ts";

const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"] as const;

describe("every view", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  assert.ok(VIEWS.length >= 2);
  for (const view of VIEWS) {
    for (const colorScheme of THEMES) {
      it(`${view}, ${colorScheme}`, async () => {
        const seen = await open(browser, world.url(`/#/${view}?window=1h`), {
          colorScheme,
        });
        const { page } = seen;
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          await page.waitForSelector("main h1");
          await page.waitForFunction(
            () => document.querySelector("main .loading") === null,
          );
          // Charts take the new width a moment later.
          await eventually(async () => {
            const wide = await page.evaluate(
              () => document.documentElement.scrollWidth - innerWidth,
            );
            assert.ok(
              wide <= 0,
              `${view} is ${wide} px wider than ${width} px`,
            );
          }, 10_000);
          const high = await page.evaluate(() => document.querySelector("header")?.clientHeight ?? 0);
          assert.ok(high > 0 && high <= 90, `the header takes ${high} px of ${width} px`);
          await picture(page, `${view}-${width}-${colorScheme}`);
          if (width !== 768)
            assert.deepEqual(
              await accessibility(page),
              [],
              `${view} at ${width} px`,
            );
        }
        calm(seen);
        await page.context().close();
      });
    }
  }
});
