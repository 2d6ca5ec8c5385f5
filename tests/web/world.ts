// A fleet to look at: the demo exporter, or pages of a test's own, a real Prometheus that scrapes
// it each second, and the real server. All of it ends with the test.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTcp, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LIMIT = 60_000;

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; ctest sets it`);
  return value;
}

export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + LIMIT;
  for (;;) {
    const result = await ask().catch(() => undefined);
    if (result !== undefined && result !== false) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${LIMIT / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const probe = createTcp();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export interface WorldOptions {
  readonly nodes?: number;
  readonly gpus?: number;
  // In place of the demo exporter's page.
  readonly page?: () => string;
  readonly server?: Record<string, string>;
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "gpumon-web-"));
  private readonly children = new Map<string, ChildProcess>();
  private exporter: Server | undefined;
  private prometheusPort = 0;
  port = 0;

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World();
    try {
      const target = options.page
        ? await world.servePage(options.page)
        : await world.startOurs("exporter", fromEnvironment("GPUMON_EXPORTER"), [
            "--demo",
            "--nodes",
            String(options.nodes ?? 2),
            "--gpus-per-node",
            String(options.gpus ?? 4),
            "--listen-addr",
            "127.0.0.1",
          ]);
      world.prometheusPort = await freePort();
      const config = {
        global: { scrape_interval: "1s", scrape_timeout: "1s" },
        scrape_configs: [
          {
            job_name: "gpu-exporter",
            honor_labels: true,
            static_configs: [{ targets: [`127.0.0.1:${target}`] }],
          },
        ],
      };
      writeFileSync(join(world.folder, "prometheus.yml"), JSON.stringify(config));
      await world.startPrometheus();
      world.port = await world.startOurs("api", fromEnvironment("GPUMON_API"), ["--listen-addr", "127.0.0.1"], {
        PROMETHEUS_URL: `http://127.0.0.1:${world.prometheusPort}`,
        GRPC_HEALTH_PORT: "0",
        CACHE_TTL: "1s",
        MAX_STALE: "60s",
        DEBUG_ENDPOINTS: "true",
        DRAIN_DELAY: "0s",
        LOG_LEVEL: "warn",
        ...options.server,
      });
      const token = options.server?.["API_BEARER_TOKEN_FILE"];
      const shown = token ? { Authorization: "Bearer " + readFileSync(token, "utf8").trim() } : {};
      await until("rows", async () => {
        const base = options.server?.["BASE_PATH"] ?? "";
        const answer = await fetch(`http://127.0.0.1:${world.port}${base}/api/v1/gpu/metrics`, { headers: shown });
        return ((await answer.json()) as { data: unknown[] | null }).data?.length;
      });
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.url(path));
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { data: T }).data;
  }

  async startPrometheus(): Promise<void> {
    this.spawn("prometheus", fromEnvironment("GPUMON_PROMETHEUS"), [
      `--config.file=${join(this.folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(this.folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${this.prometheusPort}`,
    ]);
    await until("Prometheus", async () => {
      const answer = await fetch(`http://127.0.0.1:${this.prometheusPort}/-/ready`);
      return answer.ok;
    });
  }

  // SIGTERM, and waits until it has ended.
  async end(name: string): Promise<void> {
    const child = this.children.get(name);
    this.children.delete(name);
    if (child === undefined || child.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
      child.once("exit", () => {
        clearTimeout(hard);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  async stop(): Promise<void> {
    for (const name of [...this.children.keys()].reverse()) await this.end(name);
    this.exporter?.close();
    this.exporter?.closeAllConnections();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private spawn(name: string, program: string, args: string[], variables: Record<string, string> = {}): void {
    const log = process.env["VERBOSE"] === undefined ? "ignore" : "inherit";
    const env = { PATH: "/usr/bin:/bin", ...variables };
    this.children.set(name, spawn(program, args, { stdio: ["ignore", log, log], env }));
  }

  // One of our programs, on a port of the kernel's choice.
  private async startOurs(
    name: string,
    program: string,
    args: string[],
    variables: Record<string, string> = {},
  ): Promise<number> {
    const file = join(this.folder, name + ".port");
    this.spawn(name, program, [...args, "--port", "0", "--port-file", file], variables);
    return until(name, async () => Number(readFileSync(file, "utf8")) || undefined);
  }

  private async servePage(page: () => string): Promise<number> {
    this.exporter = createServer((_, answer) => {
      answer.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      answer.end(page());
    });
    await new Promise<void>((resolve) => this.exporter?.listen(0, "127.0.0.1", resolve));
    return (this.exporter.address() as AddressInfo).port;
  }
}
