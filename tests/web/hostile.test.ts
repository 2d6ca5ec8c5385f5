// Texts that others wrote (nodes, models, processes, commands, users, pods) are texts, whatever is
// in them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { calm, launch, noBrowser, open } from "./browser.ts";
import { VIEWS } from "./table.ts";
import { World } from "./world.ts";

const RUN = "globalThis.__hit=1";
const PAYLOADS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror=${RUN}>`,
  `"><svg onload=${RUN}>`,
  `'><img src=x onerror=${RUN}>`,
  `</title><script>${RUN}</script>`,
  `</textarea><img src=x onerror=${RUN}>`,
  `<iframe srcdoc="<script>parent.__hit=1</script>">`,
  `<details open ontoggle=${RUN}>`,
  `<a href="javascript:${RUN}">x</a>`,
  `javascript:${RUN}`,
  `" onmouseover="${RUN}`,
  `' onfocus='${RUN}' autofocus='`,
  `{{constructor.constructor('${RUN}')()}}`,
  "${" + RUN + "}",
  `<style>@import 'javascript:${RUN}'</style>`,
  `<base href="https://evil.example/">`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<form action=javascript:${RUN}><button autofocus>`,
  `--><script>${RUN}</script><!--`,
  `\u202e<img src=x onerror=${RUN}>`,
];

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

// One GPU, and one process of it, for each.
function page(): string {
  return PAYLOADS.map((payload, i) => {
    const evil = escaped(payload);
    const gpu = `node="${evil}",gpu="${i}",gpu_name="${evil}",exported_pod="${evil}",exported_namespace="${evil}",exported_container="${evil}"`;
    const process = `node="${evil}",gpu="${i}",pid="${100 + i}",process_name="${evil}",user="${evil}",command="${evil}"`;
    return [
      `nvidia_gpu_utilization_percent{${gpu}} ${50 + i}`,
      `nvidia_gpu_used_memory_bytes{${gpu}} 1000000000`,
      `nvidia_gpu_total_memory_bytes{${gpu}} 2000000000`,
      `nvidia_gpu_free_memory_bytes{${gpu}} 1000000000`,
      `nvidia_gpu_temperature_celsius{${gpu}} ${40 + i}`,
      `nvidia_gpu_process_gpu_memory_bytes{${process}} 1000000`,
      `nvidia_gpu_process_cpu_percent{${process}} 1`,
      "",
    ].join("\n");
  }).join("");
}

describe("hostile texts", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  before(async () => {
    [world, browser] = await Promise.all([World.start({ page }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("are shown as they are", async () => {
    const seen = await open(browser, world.url("/#/gpus"));
    await seen.page.waitForSelector("[role=table] [role=row]");
    const shown = await seen.page.innerText("main");
    assert.ok(shown.includes(PAYLOADS[1] ?? ""), "the name of a node is shown");
    assert.equal(await seen.page.evaluate(() => (globalThis as { __hit?: number }).__hit), undefined);
    await seen.page.context().close();
  });

  it("run over nothing and turn nothing beside them", async () => {
    const seen = await open(browser, world.url("/#/overview?window=1h"));
    await seen.page.waitForSelector("ol.top li .meter");
    const rows = await seen.page.locator("ol.top li").evaluateAll((all) =>
      all.map((row) => {
        const name = row.firstElementChild as Element;
        const [letters] = [...name.querySelectorAll("*"), name].flatMap((one) =>
          [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE),
        );
        const rect = (from: number, to: number) => {
          const range = document.createRange();
          range.setStart(letters as Node, from);
          range.setEnd(letters as Node, to);
          return range.getBoundingClientRect();
        };
        const { length } = letters?.textContent ?? "";
        return {
          text: letters?.textContent ?? "",
          over: rect(0, length).right > (row.querySelector(".meter")?.getBoundingClientRect().left ?? 0),
          turned: rect(length - 2, length - 1).left > rect(length - 1, length).left,
        };
      }),
    );
    assert.match(rows[0]?.text ?? "", /\u202e.* \/ 19$/s, "that one is there");
    assert.deepEqual(
      rows.filter((row) => row.over || row.turned),
      [],
    );
    await seen.page.context().close();
  });

  for (const view of VIEWS) {
    it(`do nothing in ${view}`, async () => {
      const seen = await open(browser, world.url(`/#/${view}?window=1h`));
      const { page: tab } = seen;
      await tab.waitForSelector("main h1");
      await tab.waitForFunction(() => document.querySelector("main .loading") === null);
      // What waits for a pointer or the focus gets both.
      await tab.mouse.move(400, 400);
      for (let i = 0; i < 12; i += 1) await tab.keyboard.press("Tab");
      const found = await tab.evaluate(() => ({
        hit: (globalThis as { __hit?: number }).__hit,
        injected: document.querySelectorAll("#app iframe, #app script, #app img, #app style, #app base").length,
        handlers: document.querySelectorAll("#app [onerror], #app [onload], #app [onfocus], #app [onmouseover]").length,
        links: [...document.querySelectorAll("#app a")].filter((a) => /^\s*javascript:/i.test(a.getAttribute("href") ?? "")).length,
        // The API finds no node by such a name.
        dead: document.querySelectorAll("#app main a[href^='#/nodes/'], #app main a[href^='#/gpus/']").length,
      }));
      assert.deepEqual(found, { hit: undefined, injected: 0, handlers: 0, links: 0, dead: 0 });
      calm(seen);
      await tab.context().close();
    });
  }

  for (const [i, payload] of PAYLOADS.entries()) {
    it(`do nothing in one GPU's page: ${payload.slice(0, 40)}`, async () => {
      const seen = await open(browser, world.url(`/#/gpus/${encodeURIComponent(payload)}/${i}`));
      await seen.page.waitForSelector("main h1");
      await seen.page.waitForFunction(() => document.querySelector("main .loading") === null);
      assert.equal(await seen.page.evaluate(() => (globalThis as { __hit?: number }).__hit), undefined);
      calm(seen, /400|404|Failed to load resource/);
      await seen.page.context().close();
    });
  }
});
