// A HakuRiver host of today's kind, as far as the server asks it.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const GPU = {
  name: "NVIDIA L40S",
  driver_version: "570.86.10",
  pci_bus_id: "00000000:41:00.0",
  gpu_utilization: 63,
  graphics_clock_mhz: 2490,
  mem_utilization: 21,
  mem_clock_mhz: 9001,
  memory_total_mib: 46068,
  memory_used_mib: 30211.5,
  memory_free_mib: 15856.5,
  temperature: 58,
  fan_speed: -1,
  power_usage_mw: 231450,
  power_limit_mw: 350000,
};
const LOAD = {
  cpu_percent: 23.5,
  memory_percent: 41.2,
  memory_used_bytes: 56620482560,
  memory_total_bytes: 137438953472,
  current_avg_temp: 51.2,
  current_max_temp: 66,
};
const NODE = {
  hostname: "gn01",
  url: "http://10.9.0.11:8001",
  status: "online",
  last_heartbeat: "2026-03-01T09:15:00.418233",
  total_cores: 32,
  numa_topology: null,
  gpu_info: [0, 1].map((gpu_id) => ({ gpu_id, ...GPU })),
  ...LOAD,
};

const task = (id: string, type: "command" | "vps", status: string, more: object) => ({
  task_id: id,
  batch_id: id,
  task_type: type,
  command: type === "vps" ? "vps" : "python3",
  arguments: type === "vps" ? [] : ["train.py"],
  env_vars: {},
  status,
  assigned_node: "gn01",
  target_numa_node_id: null,
  required_cores: 4,
  required_gpus: [0],
  required_memory_bytes: 8589934592,
  submitted_at: "2026-03-01T08:15:00.418233",
  started_at: "2026-03-01T08:15:02.418233",
  completed_at: null,
  exit_code: null,
  error_message: null,
  container_name: "pytorch-2.4",
  ssh_port: null,
  name: "nightly",
  owner_username: "ada",
  approval_status: null,
  ...more,
});

export const TASKS = [
  task("7001", "command", "running", {}),
  task("7002", "command", "failed", { exit_code: 1, error_message: "exited with 1", required_cores: 7 }),
  task("7003", "vps", "running", { name: "dev-box", ssh_port: 40022, required_gpus: [1] }),
  task("7004", "vps", "paused", { name: "lab", ssh_port: 40023, required_cores: 6 }),
];

function answerTo(path: string): unknown {
  const of = (type: string) => TASKS.filter((one) => one.task_type === type);
  if (path === "/api/auth/status") return { auth_enabled: false, session_expire_hours: 24 };
  if (path === "/api/nodes") return [{ cores_in_use: 8, available_cores: 24, vm_capable: false, ...NODE }];
  if (path === "/api/health") return { nodes: [[NODE]], aggregate: [] };
  if (path === "/api/tasks") return of("command");
  if (path === "/api/vps" || path === "/api/vps/status") return of("vps");
  return TASKS.find((one) => path === `/api/status/${one.task_id}`);
}

export class HakuHost {
  private readonly server: Server = createServer((request, answer) => {
    const path = (request.url ?? "").replace(/\?.*/, "");
    if (/^\/api\/tasks\/\d+\/std(out|err)$/.test(path)) {
      answer.setHeader("Content-Type", "text/plain; charset=utf-8");
      answer.end("epoch 1\nepoch 2\n");
      return;
    }
    const found = answerTo(path);
    answer.setHeader("Content-Type", "application/json");
    answer.statusCode = found === undefined ? 404 : 200;
    answer.end(JSON.stringify(found ?? { detail: "Not Found" }));
  });

  static async start(): Promise<HakuHost> {
    const host = new HakuHost();
    await new Promise<void>((resolve) => host.server.listen(0, "127.0.0.1", resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
