// Each view shows the numbers that the API gives for the same instant.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { calm, launch, noBrowser, open, type Watched } from "./browser.ts";
import { HakuHost } from "./hakuriver.ts";
import { CASES, type Row } from "./numbers.ts";
import { eventually, hold, read } from "./screen.ts";
import { VIEWS } from "./table.ts";
import { until, World } from "./world.ts";

describe("what is shown is what the API says", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let haku: HakuHost;
  let seen: Watched;
  let at = "";
  before(async () => {
    haku = await HakuHost.start();
    const alerts = { HotGpu: "nvidia_gpu_temperature_celsius > 60" };
    const server = { HAKURIVER_URL: haku.url };
    [world, browser] = await Promise.all([World.start({ past: "65m", alerts, server }), launch()]);
    // Processes, pods and alerts too, and then some time.
    const asOf = async (list: string) => {
      const answer = await fetch(world.url("/api/v1/gpu/" + list));
      const body = (await answer.json()) as { data: Row[]; meta: { as_of: string } };
      return body.data.length > 0 ? body.meta.as_of : undefined;
    };
    for (const list of ["workloads", "processes", "alerts"]) at = await until(list, () => asOf(list));
    const passed = Date.parse(at) + 2000;
    await until("the instant has passed", async () => Date.parse((await asOf("metrics")) ?? at) > passed);
    seen = await open(browser, world.url("/"), { viewport: { width: 3000, height: 2600 } });
  });
  after(async () => {
    haku?.stop();
    await browser?.close();
    await world?.stop();
  });

  // The list of a HakuRiver host has no past.
  async function answer(ask: string): Promise<Row[]> {
    const past = ask.startsWith("hakuriver") ? "" : (ask.includes("?") ? "&" : "?") + `at=${at}`;
    // A busy machine may have to be asked again.
    const data = await until(ask, async () => {
      const said = (await (await fetch(world.url(`/api/v1/${ask}${past}`))).json()) as Row;
      return said.success && !said.meta?.partial ? said.data : undefined;
    });
    return Array.isArray(data) ? data : [data];
  }

  assert.deepEqual(
    VIEWS.filter((view) => view !== "api" && !CASES.some((one) => one.place.startsWith(view))),
    [],
    "every view has its numbers",
  );
  for (const { place, params = "", asks, of } of CASES) {
    it(`${place} ${params.slice(0, 30)}: ${asks.join(", ")}`, async () => {
      const answers: Row[][] = [];
      for (const ask of asks) answers.push(await answer(ask));
      for (const [i, rows] of answers.entries()) assert.ok(rows.length > 0, `${asks[i]} has rows`);
      await seen.page.goto(world.url(`/#/${place}?at=${at}&window=1h&${params}`));
      await hold(seen.page, (screen) => of(screen, ...answers));
      // A busy machine may be asked again.
      calm(seen, /status of 50[34]/);
    });
  }

  it("api: the routes, and what one of them answers", async () => {
    const { page } = seen;
    const routes = await world.get<{ path: string }[]>("/api");
    const params = new URLSearchParams({ route: "/api/v1/gpu/summary", "p.at": at });
    await page.goto(world.url(`/#/api?${params}`));
    await eventually(async () => {
      const { items } = await read(page);
      assert.deepEqual(Object.values(items).flat().sort(), [...new Set(routes.map((one) => one.path))].sort());
    });
    await page.click("button.main");
    const body = JSON.parse(await page.innerText("pre.log")) as { data: Row[] };
    assert.deepEqual(body.data, await answer("gpu/summary"));
    calm(seen, /status of 50[34]/);
  });
});
