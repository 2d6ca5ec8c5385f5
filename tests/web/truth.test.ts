// Each view shows the numbers that the API gives for the same instant.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { calm, launch, noBrowser, open, type Watched } from "./browser.ts";
import { HakuHost } from "./hakuriver.ts";
import { type Claim, claims, eventually, hold, read, rowClaims, type Screen, type Value } from "./screen.ts";
import { VIEWS } from "./table.ts";
import { until, World } from "./world.ts";

// Rows as they come: fields that are not there are undefined, and no claim about them holds.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Row = any;
type Of = (screen: Screen, ...answers: Row[][]) => readonly Claim[];

interface Case {
  readonly place: string; // without its parameters
  readonly params?: string;
  readonly asks: readonly string[]; // below /api/v1/
  readonly of: Of;
}

const last = (values: readonly (number | null)[]) => values.filter((value) => value !== null).at(-1);

// The number that a chart ends with, of the line so called.
function lineEnd(screen: Screen, title: string, line: string): string | undefined {
  const chart = screen.charts.find((one) => one.startsWith(title + ". "));
  return new RegExp(`${line}: ([^,]+)`).exec(chart ?? "")?.[1];
}

const overview: Of = (screen, [fleet], hottest, busiest, models, [load]) => [
  ...claims("states", screen.parts["GPUs by state"], {
    busy: fleet.busy,
    "held, idle": fleet.idle_held,
    free: fleet.free,
    unhealthy: fleet.unhealthy,
    unknown: fleet.unknown,
  }),
  ...claims("levels", screen.parts["GPUs by health"], {
    healthy: fleet.level_healthy,
    critical: fleet.level_critical,
  }),
  ...claims("tiles", Object.assign({}, ...screen.facts), {
    GPUs: fleet.gpus,
    Utilization: fleet.utilization,
    "GPU memory": fleet.memory_used_bytes,
    Power: fleet.power,
    Hottest: fleet.temperature_max,
    "Health score": fleet.score,
    Users: fleet.users,
    "Pods with GPUs": fleet.pods_running,
    "GPUs requested": fleet.gpus_requested,
  }),
  ...hottest.map((row, i) => ({ what: `hottest ${i}`, shown: screen.tops["Hottest GPUs"]?.[i], value: row.temperature })),
  ...busiest.map((row, i) => ({ what: `busiest ${i}`, shown: screen.tops["Busiest GPUs"]?.[i], value: row.utilization })),
  ...rowClaims("models", screen.tables["GPUs by model"], models, ["Model"], (row) => ({
    Model: row.gpu_name,
    GPUs: row.gpus,
    busy: row.busy,
    free: row.free,
    Utilization: row.utilization,
    Hottest: row.temperature_max,
  })),
  { what: "chart", shown: lineEnd(screen, "GPU utilization", "mean of all GPUs"), value: last(load.avg) },
];

const taskCounts: Of = (screen, tasks) => {
  const of = (phase: string) =>
    tasks.filter((one) => (one.kind === "Job" || one.job === null) && one.phase === phase).length;
  const counts = { running: of("Running"), waiting: of("Pending"), completed: of("Succeeded"), failed: of("Failed") };
  return Object.entries(counts).map(([status, value]) => ({
    what: status,
    shown: screen.tables["Tasks by status"]?.find((row) => row["Status"] === status)?.["Kubernetes"],
    value,
  }));
};

const nodeFacts = (row: Row): Record<string, Value> => ({
  Utilization: row.utilization,
  "GPU memory": row.memory_used_bytes,
  CPU: row.cpu,
  Memory: row.host_memory_used_percent,
  Cores: row.cores_available,
  "Hottest GPU": row.temperature_max,
});

const nodeTable = (row: Row): Record<string, Value> => ({
  Node: row.node_name,
  GPUs: row.gpu_count,
  Health: `${row.level} ${row.score} / 100`,
  Utilization: row.utilization,
  "GPU memory": row.memory_used_bytes,
  "Hottest GPU": row.temperature_max,
  CPU: row.cpu,
  Memory: row.host_memory_used_percent,
  Cores: row.cores_total,
  "Cores free": row.cores_available,
  Requested: row.gpus_requested,
  "Host temp.": row.host_temperature,
});

const node: Of = (screen, [row], gpus) => [
  ...claims("node", Object.assign({}, ...screen.facts), {
    ...nodeFacts(row),
    "Power of its GPUs": row.power,
    "Load (1, 5, 15 min)": row.load1,
    Capacity: row.gpus_capacity,
    Free: row.gpus_free,
  }),
  ...rowClaims("GPUs", screen.tables["GPUs"], gpus, ["GPU"], (gpu) => ({
    GPU: gpu.gpu_id,
    Utilization: gpu.utilization,
    "GPU memory": gpu.memory_used_bytes,
    Temperature: gpu.temperature,
    Power: gpu.power,
  })),
  ...rowClaims("disks", screen.tables["Disks"], row.disks, ["Mounted at"], (disk) => ({
    "Mounted at": disk.mountpoint,
    Size: disk.size_bytes,
    Available: disk.available_bytes,
  })),
];

const gpuTable = (row: Row): Record<string, Value> => ({
  Node: row.node_name,
  GPU: row.gpu_id,
  Utilization: row.utilization,
  "Memory used": row.memory_used_bytes,
  "Memory used percent": row.memory_used_percent,
  Temperature: row.temperature,
  "Memory temperature": row.memory_temperature,
  Power: row.power,
  "SM clock": row.sm_clock,
});

const gpu: Of = (screen, [row], [health]) => [
  ...claims("values", screen.facts.at(-1), {
    ...gpuTable(row),
    Node: undefined,
    GPU: undefined,
    "Memory total": row.memory_total_bytes,
    "Memory free": row.memory_free_bytes,
    "Power limit": row.power_limit,
    "XID last": row.xid_last,
    "PCIe replay": row.pcie_replay,
    "SM active": row.sm_active,
  }).filter(({ value }) => value !== undefined),
  { what: "score", shown: /score (\d+) of 100/.exec(screen.text)?.[1], value: health.score },
];

const ledger: Of = (screen, [whole], holders) => [
  ...(["busy", "held, idle", "free", "unknown"] as const).map((state) => ({
    what: state,
    shown: /· ([\d.]+) %/.exec(screen.parts["Where GPU time went"]?.[state] ?? "")?.[1],
    value: (100 * whole[state === "held, idle" ? "idle_held_seconds" : `${state}_seconds`]) / whole.total_seconds,
  })),
  { what: "sum", shown: /= ([\d.]+) GPU-hours/.exec(screen.text)?.[1], value: whole.total_seconds / 3600 },
  ...rowClaims("holders", screen.tables["Who holds idle GPUs"], holders, ["Node", "GPU", "Pod"], (row) => ({
    Node: row.node_name,
    GPU: row.gpu_id,
    Pod: row.pod,
    "Idle hours": row.idle_seconds / 3600,
    "Busy hours": row.busy_seconds / 3600,
    Idle: row.idle_percent,
    "Idle cost": row.idle_cost,
  })),
];

const health: Of = (screen, [fleet], rows) => [
  ...claims("fleet", screen.facts[0], {
    Score: fleet.score,
    Level: fleet.level,
    GPUs: fleet.gpus,
    Confidence: Math.floor(100 * fleet.confidence + 1e-9),
  }),
  ...claims("levels", screen.parts["Level"], {
    healthy: fleet.healthy,
    degraded: fleet.degraded,
    critical: fleet.critical,
    unknown: fleet.unknown,
  }),
  ...rowClaims("GPUs", screen.tables["Health gpu"], rows, ["Node", "GPU"], (row) => ({
    Node: row.node_name,
    GPU: row.gpu_id,
    Level: row.level,
    Score: row.score,
    Confidence: Math.floor(100 * row.confidence + 1e-9),
  })),
];

const CASES: readonly Case[] = [
  {
    place: "overview",
    asks: [
      "gpu/summary",
      "gpu/metrics?sort=-temperature&min_temperature=0&limit=5",
      "gpu/metrics?sort=-utilization&min_utilization=0&limit=5",
      "gpu/summary?by=model",
      "gpu/history?metric=utilization&aggregate=cluster&window=1h",
    ],
    of: overview,
  },
  { place: "overview", asks: ["gpu/tasks"], of: taskCounts },
  {
    place: "nodes",
    asks: ["gpu/nodes"],
    of: (screen, rows) => rows.flatMap((row, i) => claims(row.node_name, screen.facts[i], nodeFacts(row))),
  },
  {
    place: "nodes",
    params: "show=table",
    asks: ["gpu/nodes"],
    of: (screen, rows) => rowClaims("nodes", screen.tables["Nodes"], rows, ["Node"], nodeTable),
  },
  { place: "nodes/gpu-node-1", asks: ["gpu/nodes/gpu-node-1", "gpu/metrics?node=gpu-node-1"], of: node },
  {
    place: "gpus",
    params:
      "columns=node_name,gpu_id,utilization,memory_used_bytes,memory_used_percent,temperature,memory_temperature,power,sm_clock",
    asks: ["gpu/metrics"],
    of: (screen, rows) => rowClaims("GPUs", screen.tables["GPUs"], rows, ["Node", "GPU"], gpuTable),
  },
  {
    place: "gpus/gpu-node-1/2",
    asks: ["gpu/metrics?node=gpu-node-1&gpu=2", "gpu/health?node=gpu-node-1&gpu=2"],
    of: gpu,
  },
  // One that has no value for its temperature.
  {
    place: "gpus/gpu-node-1/0",
    asks: ["gpu/metrics?node=gpu-node-1&gpu=0", "gpu/health?node=gpu-node-1&gpu=0"],
    of: gpu,
  },
  {
    place: "processes",
    asks: ["gpu/processes"],
    of: (screen, rows) =>
      rowClaims("processes", screen.tables["Processes"], rows, ["Node", "PID"], (row) => ({
        Node: row.node_name,
        GPU: row.gpu_id,
        PID: row.pid,
        User: row.user,
        Process: row.process_name,
        "GPU memory": row.gpu_memory_bytes,
        CPU: row.cpu,
        "Host memory": row.memory,
      })),
  },
  {
    place: "workloads",
    asks: ["gpu/workloads"],
    of: (screen, rows) => [
      ...rowClaims("pods", Object.values(screen.tables)[0], rows, ["Pod"], (row) => ({
        Pod: row.pod,
        Requested: row.gpus_requested,
        Held: row.gpus,
        Share: row.gpu_share,
        Utilization: row.utilization,
        "GPU memory": row.memory_used_bytes,
      })),
      ...claims("tiles", Object.assign({}, ...screen.facts), {
        "GPUs held": rows.reduce((sum, row) => sum + row.gpus, 0),
      }),
    ],
  },
  {
    place: "users",
    asks: ["gpu/users"],
    of: (screen, rows) =>
      rowClaims("users", screen.tables["Users"], rows, ["User"], (row) => ({
        User: row.user,
        GPUs: row.gpus,
        Share: row.gpu_share,
        Processes: row.processes,
        Utilization: row.utilization,
        "GPU memory": row.memory_used_bytes,
      })),
  },
  { place: "idle", asks: ["gpu/ledger?window=1h", "gpu/idle?window=1h"], of: ledger },
  {
    place: "idle",
    params: "show=by&by=node",
    asks: ["gpu/ledger?window=1h&by=node"],
    of: (screen, rows) =>
      rowClaims("accounts", screen.tables["Where time went node"], rows, ["Node"], (row) => ({
        Node: row.node_name,
        GPUs: row.gpus,
        "GPU-hours": row.total_seconds / 3600,
        busy: row.busy_seconds / 3600,
        free: row.free_seconds / 3600,
        Busy: row.busy_percent,
      })),
  },
  { place: "health", params: "show=levels", asks: ["gpu/health?by=fleet", "gpu/health"], of: health },
  {
    place: "events",
    asks: ["gpu/events?window=1h"],
    of: (screen, rows) => [
      { what: "events", shown: String(screen.tables["Events"]?.length), value: rows.length },
      ...rows.flatMap((row, i) =>
        claims(`event ${i}`, screen.tables["Events"]?.[i], {
          Severity: row.severity,
          // On a busy machine the exporter may have been down.
          Where: row.type === "exporter_down" ? "–" : `${row.node_name} / ${row.gpu_id}`,
          ...(row.type === "exporter_down" ? {} : { What: row.text }),
          For: row.duration_seconds,
        }),
      ),
    ],
  },
  {
    place: "events",
    params: "tab=alerts",
    asks: ["gpu/alerts"],
    of: (screen, rows) =>
      rowClaims("alerts", screen.tables["Alerts"], rows, ["Where"], (row) => ({
        Where: `${row.node_name} / ${row.gpu_id}`,
        Alert: row.alertname,
        State: row.state,
        For: row.age_seconds,
      })),
  },
  {
    place: "tasks",
    asks: ["gpu/tasks"],
    of: (screen, rows) =>
      rowClaims("tasks", screen.tables["Tasks"], rows, ["Kind", "Name"], (row) => ({
        Name: row.name,
        Kind: row.kind,
        Phase: row.phase,
        "GPUs asked": row.gpus_requested,
        "GPUs held": row.gpus_held ?? "",
        Cores: row.cores_requested,
        Memory: row.memory_requested_bytes,
        "Exit code": row.exit_code ?? "",
      })),
  },
  {
    place: "tasks",
    params: "source=hakuriver",
    asks: ["hakuriver/tasks"],
    of: (screen, rows) =>
      rowClaims("tasks", screen.tables["Tasks"], rows, ["Task id"], (row) => ({
        "Task id": row.task_id,
        Status: row.status,
        Cores: row.required_cores,
        Memory: row.required_memory_bytes,
        User: row.owner_username,
      })),
  },
  {
    place: "vps",
    asks: ["hakuriver/vps"],
    of: (screen, rows) =>
      rowClaims("VPS", screen.tables["VPS"], rows, ["Task id"], (row) => ({
        "Task id": row.task_id,
        Status: row.status,
        "SSH port": row.ssh_port,
        Cores: row.required_cores,
        Memory: row.required_memory_bytes,
        GPUs: row.required_gpus.join(", "),
      })),
  },
];

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
    const data = await world.get<Row>(`/api/v1/${ask}${past}`);
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
