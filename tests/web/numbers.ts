// THE table of what each view has to show: the view, the routes that have the numbers, the cells
// that show them.
import { type Claim, claims, rowClaims, type Screen, type Value } from "./screen.ts";

// Rows as they come: fields that are not there are undefined, and no claim about them holds.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Row = any;
type Of = (screen: Screen, ...answers: Row[][]) => readonly Claim[];

export interface Case {
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
  "Memory used, %": row.memory_used_percent,
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

export const CASES: readonly Case[] = [
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
        // Where it does not apply it is left out, where it is not known it says so.
        "GPUs held": row.gpus_held ?? (row.null_reasons?.gpus_held === undefined ? "" : null),
        Cores: row.cores_requested,
        Memory: row.memory_requested_bytes,
        "Exit code": row.exit_code ?? (row.null_reasons?.exit_code === undefined ? "" : null),
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
