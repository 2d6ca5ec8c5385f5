// A fleet to look at: the demo exporter, or pages of a test's own, a real Prometheus that scrapes
// it each second, and the real server. All of it ends with the test.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTcp, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

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
  readonly surroundings?: "none" | "gpu" | "all";
  readonly scrape?: string; // how often: "1s"
  // So much of the demo fleet's past is there: "70m".
  readonly past?: string;
  // In place of the demo exporter's page; of several exporters each. Null: it is down.
  readonly page?: () => string;
  readonly pages?: readonly (() => string | null)[];
  // Alerts that Prometheus has, by name: their expressions.
  readonly alerts?: Record<string, string>;
  // What the server asks in place of Prometheus, at whose address it is told where that is.
  readonly between?: (prometheus: string) => Promise<string>;
  readonly server?: Record<string, string>;
  // No GPU will be there, so none is waited for; or Prometheus is started by the test.
  readonly empty?: boolean;
  readonly later?: boolean;
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "gpumon-web-"));
  private readonly children = new Map<string, ChildProcess>();
  private readonly exporters: Server[] = [];
  private prometheusPort = 0;
  port = 0;

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World();
    try {
      const targets = await world.startExporters(options);
      world.prometheusPort = await freePort();
      world.configure(targets, options.alerts ?? {}, options.scrape ?? "1s");
      if (options.past !== undefined) world.makePast(options, options.past, targets[0] ?? 0);
      if (!options.later) await world.startPrometheus();
      const prometheus = `http://127.0.0.1:${world.prometheusPort}`;
      await world.startServer((await options.between?.(prometheus)) ?? prometheus, options.server ?? {});
      if (!options.empty && !options.later) await world.waitForRows(options.server ?? {});
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  private async startExporters(options: WorldOptions): Promise<number[]> {
    const pages = options.pages ?? (options.page ? [options.page] : []);
    if (pages.length > 0) return Promise.all(pages.map((page) => this.servePage(page)));
    return [
      await this.startOurs("exporter", fromEnvironment("GPUMON_EXPORTER"), [
        ...demoOf(options),
        "--listen-addr",
        "127.0.0.1",
      ]),
    ];
  }

  private configure(targets: readonly number[], alerts: Record<string, string>, every: string): void {
    const rules = Object.entries(alerts).map(([alert, expr]) => ({ alert, expr }));
    const config = {
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: "1s" },
      rule_files: ["rules.yml"],
      scrape_configs: [
        {
          job_name: "gpu-exporter",
          honor_labels: true,
          static_configs: [{ targets: targets.map((port) => `127.0.0.1:${port}`) }],
        },
      ],
    };
    writeFileSync(join(this.folder, "rules.yml"), JSON.stringify({ groups: [{ name: "test", rules }] }));
    writeFileSync(join(this.folder, "prometheus.yml"), JSON.stringify(config));
  }

  // As scripts/history.sh does it.
  private makePast(options: WorldOptions, past: string, port: number): void {
    const samples = join(this.folder, "samples");
    const made = spawnSync(
      fromEnvironment("GPUMON_EXPORTER"),
      [...demoOf(options), "--past", past, "--past-step", "60s", "--past-instance", `127.0.0.1:${port}`],
      { maxBuffer: 1 << 28 },
    );
    writeFileSync(samples, made.stdout);
    const tool = join(dirname(fromEnvironment("GPUMON_PROMETHEUS")), "promtool");
    const blocks = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", samples, join(this.folder, "tsdb")];
    const { status } = spawnSync(tool, blocks, { stdio: "ignore" });
    if (made.status !== 0 || status !== 0) throw new Error("the past could not be made");
  }

  private async startServer(prometheus: string, variables: Record<string, string>): Promise<void> {
    this.port = await this.startOurs("api", fromEnvironment("GPUMON_API"), ["--listen-addr", "127.0.0.1"], {
      PROMETHEUS_URL: prometheus,
      GRPC_HEALTH_PORT: "0",
      CACHE_TTL: "1s",
      MAX_STALE: "60s",
      DEBUG_ENDPOINTS: "true",
      DRAIN_DELAY: "0s",
      LOG_LEVEL: "warn",
      ...variables,
    });
  }

  private async waitForRows(variables: Record<string, string>): Promise<void> {
    const token = variables["API_BEARER_TOKEN_FILE"];
    const shown = token ? { Authorization: "Bearer " + readFileSync(token, "utf8").trim() } : {};
    await until("rows", async () => {
      const base = variables["BASE_PATH"] ?? "";
      const answer = await fetch(`http://127.0.0.1:${this.port}${base}/api/v1/gpu/metrics`, { headers: shown });
      return ((await answer.json()) as { data: unknown[] | null }).data?.length || undefined;
    });
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

  // Waits until it has ended.
  async end(name: string, how: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.children.get(name);
    this.children.delete(name);
    if (child === undefined || child.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
      child.once("exit", () => {
        clearTimeout(hard);
        resolve();
      });
      child.kill(how);
    });
  }

  // SIGSTOP and SIGCONT: it is there, and answers nothing.
  signal(name: string, what: "SIGSTOP" | "SIGCONT"): void {
    this.children.get(name)?.kill(what);
  }

  async stop(): Promise<void> {
    for (const child of this.children.values()) child.kill("SIGCONT");
    for (const name of [...this.children.keys()].reverse()) await this.end(name);
    for (const exporter of this.exporters) {
      exporter.close();
      exporter.closeAllConnections();
    }
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

  private async servePage(page: () => string | null): Promise<number> {
    const exporter = createServer((_, answer) => {
      const text = page();
      if (text === null) answer.statusCode = 503;
      answer.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      answer.end(text ?? "");
    });
    this.exporters.push(exporter);
    await new Promise<void>((resolve) => exporter.listen(0, "127.0.0.1", resolve));
    return (exporter.address() as AddressInfo).port;
  }
}

function demoOf(options: WorldOptions): string[] {
  const { nodes = 2, gpus = 4, surroundings = "all" } = options;
  return ["--demo", "--nodes", String(nodes), "--gpus-per-node", String(gpus), "--surroundings", surroundings];
}
