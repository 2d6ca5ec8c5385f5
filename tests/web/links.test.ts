// A link says all: it gives the same in a fresh browser, after a reload, and after a step back.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { calm, launch, noBrowser, open } from "./browser.ts";
import { HakuHost } from "./hakuriver.ts";
import { eventually } from "./screen.ts";
import { VIEWS } from "./table.ts";
import { World } from "./world.ts";

interface State {
  readonly hash: string;
  readonly title: string;
  readonly heading: string;
  readonly set: string[]; // "label: value" of what is filled in or chosen
  readonly current: string[]; // tabs and buttons that are chosen
  readonly sorted: string[];
  readonly columns: string[];
  readonly rows: string[]; // what stands first in each
  readonly past: string;
}

async function state(page: Page, headers = "[role=rowheader], main tbody th"): Promise<State> {
  return page.evaluate((headers) => {
    const all = (what: string) => [...document.querySelectorAll(what)];
    const text = (element: Element | null | undefined) =>
      (element?.textContent ?? "").replace(/[▲▼]/g, "").replace(/\s+/g, " ").trim();
    const label = (field: HTMLInputElement | HTMLSelectElement) => {
      const words = [...(field.labels?.[0]?.childNodes ?? [])].filter((one) => one !== field);
      return field.getAttribute("aria-label") ?? (words[0]?.textContent ?? "").trim();
    };
    const fields = all(".range select, .range input, main select, main input:not(.chooser *)");
    return {
      hash: location.hash,
      title: document.title,
      heading: text(document.querySelector("main h1")),
      set: (fields as (HTMLInputElement | HTMLSelectElement)[])
        .map((field) => {
          const checked = field instanceof HTMLInputElement && field.type === "checkbox";
          return [label(field), checked ? String(field.checked) : field.value];
        })
        .filter(([, value]) => value !== "" && value !== "false")
        .map(([name, value]) => `${name}: ${value}`),
      current: all("main [aria-current=true]:not([role=row]), main [aria-pressed=true]").map(text),
      sorted: all("[aria-sort=ascending], [aria-sort=descending]").map(
        (one) => `${text(one)} ${one.getAttribute("aria-sort")}`,
      ),
      columns: all("[role=columnheader]").map(text),
      rows: all(headers).map(text),
      past: text(document.querySelector(".banner-info")),
    };
  }, headers);
}

interface Link {
  readonly place: string;
  readonly params: string;
  // There is none of the past: of its rows those that stay, which others (processes, events) do not.
  readonly live?: string;
  // What has to be there, of `set`, `current`, `sorted` and `columns`.
  readonly set?: readonly string[];
  readonly current?: readonly string[];
  readonly sorted?: string;
  readonly columns?: readonly string[];
}

const LINKS: readonly Link[] = [
  { place: "overview", params: "" },
  {
    place: "nodes",
    params: "show=table&sort=-utilization&node=gpu-node-*",
    set: ["Node: gpu-node-*"],
    current: ["Table"],
    sorted: "Utilization descending",
  },
  { place: "nodes", params: "show=cards&sort=node_name", current: ["Cards"] },
  { place: "nodes/gpu-node-2", params: "" },
  {
    place: "gpus",
    params: "columns=node_name,gpu_id,power,temperature&sort=-power&node=gpu-node-1&min_utilization=1&show=table",
    set: ["Filter: node=gpu-node-1 min_utilization=1"],
    sorted: "Power descending",
    columns: ["Node", "GPU", "Power", "Temperature"],
  },
  { place: "gpus", params: "show=map&color=temperature", set: ["Colour: temperature"] },
  { place: "gpus/gpu-node-1/0", params: "open=sources", live: ".values tbody th, .sources[open] thead th" },
  {
    place: "processes",
    params: "columns=node_name,pid,user&sort=-pid&node=gpu-node-1",
    set: ["Filter: node=gpu-node-1"],
    sorted: "PID descending",
    columns: ["Node", "PID", "User"],
  },
  { place: "workloads", params: "by=namespace&sort=-gpus", current: ["Namespace"], sorted: "Held descending" },
  { place: "users", params: "sort=user&node=gpu-node-1", set: ["Node: gpu-node-1"], sorted: "User ascending" },
  { place: "idle", params: "show=by&by=user&sort=user", current: ["Where time went", "User"], sorted: "User ascending" },
  {
    place: "health",
    params: "show=levels&by=node&sort=-score&level=healthy",
    set: ["Level: healthy"],
    current: ["Node"],
    sorted: "Score descending",
  },
  {
    place: "events",
    params: "type=throttle&severity=critical&sort=time",
    set: ["Type: throttle", "Severity: critical"],
    sorted: "Time ascending",
  },
  { place: "events", params: "tab=alerts&state=firing", set: ["State: firing"], current: ["Alerts"] },
  {
    place: "tasks",
    params: "phase=Running&kind=Pod&sort=-gpus_requested",
    set: ["Phase: Running", "Kind: Pod"],
    sorted: "GPUs asked descending",
  },
  {
    place: "vps",
    params: "all=1&status=running&sort=-ssh_port&task=7003",
    set: ["Status: running"],
    sorted: "SSH port descending",
  },
  {
    place: "api",
    params: "q=gpu&route=/api/v1/gpu/metrics&p.node=gpu-node-*",
    set: ["Filter routes: gpu", "node: gpu-node-*"],
    current: ["/api/v1/gpu/metrics"],
  },
];

describe("a link", { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let haku: HakuHost;
  let at = "";
  before(async () => {
    haku = await HakuHost.start();
    const server = { HAKURIVER_URL: haku.url };
    const alerts = { HotGpu: "nvidia_gpu_temperature_celsius > 60" };
    [world, browser] = await Promise.all([World.start({ past: "65m", alerts, server }), launch()]);
    at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60_000).toISOString();
  });
  after(async () => {
    haku?.stop();
    await browser?.close();
    await world?.stop();
  });

  // The state once it holds what the link says.
  async function settled(page: Page, link: Link): Promise<State> {
    let now: State | undefined;
    await eventually(async () => {
      const loading = await page.locator("main .loading").count();
      assert.equal(loading, 0, "all is there");
      now = await state(page, link.live);
      if (link.live) assert.notEqual(now.rows.length, 0, "rows that stay");
      const { set = [], current = [], sorted, columns } = link;
      for (const one of ["Time: 6h", ...set]) assert.ok(now.set.includes(one), `${one} in ${now.set.join(", ")}`);
      for (const one of current) assert.ok(now.current.includes(one), `${one} in ${now.current.join(", ")}`);
      if (sorted !== undefined) assert.deepEqual(now.sorted, [sorted]);
      if (columns !== undefined) assert.deepEqual(now.columns, columns);
      if (!link.live) assert.match(now.past, /You are looking at/);
    });
    assert.ok(now);
    // Those of the overview are its charts' legends, which come one after the other.
    return link.place === "overview" ? { ...now, rows: [] } : now;
  }

  assert.deepEqual(
    VIEWS.filter((view) => !LINKS.some((one) => one.place.startsWith(view))),
    [],
    "every view has a link",
  );
  for (const link of LINKS) {
    it(`${link.place}?${link.params}`, async () => {
      const time = link.live ? "window=6h" : `at=${at}&window=6h`;
      const seen = await open(browser, world.url(`/#/${link.place}?${time}&${link.params}`));
      const { page } = seen;
      const first = await settled(page, link);
      await page.reload();
      assert.deepEqual(await settled(page, link), first, "after a reload");
      await page.goto(world.url("/#/nonsense"));
      await page.waitForSelector("text=There is no such view.");
      await page.goBack();
      assert.deepEqual(await settled(page, link), first, "after a step back");
      await page.goForward();
      await page.waitForSelector("text=There is no such view.");
      calm(seen, /status of 50[34]/);
      await page.context().close();
    });
  }

  it("of what was done by hand gives the same in a fresh browser", async () => {
    const seen = await open(browser, world.url("/#/gpus"), { viewport: { width: 2400, height: 900 } });
    const { page } = seen;
    await page.waitForSelector("[role=table] [role=row]");
    await page.selectOption(".range select", "6h");
    await page.fill("[data-filter]", "node=gpu-node-2 min_utilization=0");
    await page.waitForFunction(() => location.hash.includes("min_utilization=0"));
    await page.click(".chooser summary");
    await page.locator(".chooser label", { hasText: "driver_version" }).locator("input").check();
    await page.keyboard.press("Escape");
    await page.click("[role=columnheader] button:has-text('Power')");
    await page.waitForSelector("[aria-sort=descending]:has-text('Power')");
    await eventually(async () => assert.equal((await state(page)).rows.length, 4, "four GPUs pass the filter"));
    const made = await state(page);
    assert.ok(made.columns.includes("Driver version"), made.columns.join());
    const fresh = await open(browser, page.url(), { viewport: { width: 2400, height: 900 } });
    await eventually(async () => {
      const { rows, ...others } = await state(fresh.page);
      const { rows: before, ...same } = made;
      assert.deepEqual(others, same);
      // They are live: their order may have changed since.
      assert.deepEqual(rows.toSorted(), before.toSorted());
    });
    // Each of the steps that a step back returns to is one.
    await page.goBack();
    await page.waitForFunction(() => !location.hash.includes("window=6h"));
    assert.equal(await page.inputValue(".range select"), "24h");
    calm(seen, /status of 50[34]/);
    calm(fresh, /status of 50[34]/);
    await page.context().close();
    await fresh.page.context().close();
  });

  it("leaves the theme to the browser, which keeps what was chosen", async () => {
    const link = world.url(`/#/gpus?at=${at}`);
    const back = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const seen = await open(browser, link, { colorScheme: "light" });
    const { page } = seen;
    const light = await back(page);
    await page.selectOption("header > label select", "dark");
    await page.waitForFunction((was) => getComputedStyle(document.body).backgroundColor !== was, light);
    const dark = await back(page);
    await page.reload();
    await page.waitForSelector("header > label select");
    assert.equal(await page.inputValue("header > label select"), "dark");
    assert.equal(await back(page), dark);
    const system = await open(browser, link, { colorScheme: "dark" });
    await system.page.waitForSelector("header > label select");
    assert.equal(await system.page.inputValue("header > label select"), "system");
    assert.equal(await back(system.page), dark);
    await page.context().close();
    await system.page.context().close();
  });
});
