// The whole cluster in numbers.
import type { ComponentChildren, JSX } from "preact";
import type { NullReasons, Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { bytes, number } from "../../parts/format.ts";
import { Stack } from "../../parts/stack.tsx";
import { Tile, Tiles } from "../../parts/tiles.tsx";
import { Value } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { overviewText as words } from "../../text/en/overview.ts";

type Summary = Schemas["GpuSummary"];
type Nodes = Asked<Schemas["GpuNode"][]>;

const STATES = ["busy", "idle_held", "free", "unhealthy", "unknown"] as const;
const LEVELS = ["healthy", "degraded", "critical", "unknown"] as const;
const t = words.tiles;

// The list of GPUs has no filter by state; these come nearest.
function stateHref(state: (typeof STATES)[number]): string {
  switch (state) {
    case "idle_held":
      return href(["idle"], { min_idle_now: "1" });
    case "unhealthy":
      return href(["health"], { level: "critical" });
    case "free":
      return href(["gpus"], { sort: "utilization" });
    default:
      return href(["gpus"], { sort: "-utilization" });
  }
}

function Stacks(props: { of: Summary }): JSX.Element {
  const { of } = props;
  return (
    <div class="columns">
      <div>
        <h3>{words.states}</h3>
        <Stack
          title={words.states}
          parts={STATES.map((state) => ({
            key: state,
            label: text.states[state] ?? state,
            value: of[state] ?? 0,
            text: String(of[state] ?? "–"),
            href: stateHref(state),
          }))}
        />
      </div>
      <div>
        <h3>{words.levels}</h3>
        <Stack
          title={words.levels}
          parts={LEVELS.map((level) => ({
            key: level,
            label: text.levels[level] ?? level,
            value: of[`level_${level}`] ?? 0,
            text: String(of[`level_${level}`] ?? "–"),
            href: href(["health"], { show: "levels", level }),
          }))}
        />
        {of.gpus_lost ? <p class="note">{words.lostLevel(of.gpus_lost)}</p> : null}
      </div>
    </div>
  );
}

// One number of the summary; `words` is asked where it is known.
function useOne(of: Summary, reasons: NullReasons) {
  return (
    label: string,
    key: keyof Summary & string,
    say: (value: number) => ComponentChildren,
    more?: ComponentChildren,
  ) => {
    const value = of[key] as number | null | undefined;
    return (
      <Tile label={label} more={more}>
        <Value
          value={value == null ? null : say(value)}
          reason={of.null_reasons?.[key] ?? reasons[key]}
        />
      </Tile>
    );
  };
}

function GpuTiles(props: { of: Summary; reasons: NullReasons }): JSX.Element {
  const { of } = props;
  const one = useOne(of, props.reasons);
  const gpus = of.gpus ?? 0;
  const total = of.memory_total_bytes;
  const some = t.someGpus(of.memory_gpus ?? 0, gpus);
  const extra = [
    of.gpus_lost ? t.lost(of.gpus_lost) : "",
    of.mig_instances ? t.mig(of.mig_instances) : "",
  ];
  return (
    <>
      {one(
        t.gpus,
        "gpus",
        (value) => (
          <a href={href(["gpus"])}>{value}</a>
        ),
        extra.filter((word) => word).join(", "),
      )}
      {one(
        t.utilization,
        "utilization",
        (value) => `${number(value, 0)} %`,
        t.ofGpus(of.utilization_gpus ?? 0, gpus),
      )}
      {one(
        t.memory,
        "memory_used_bytes",
        bytes,
        <>
          {t.memoryOf(total == null ? "–" : bytes(total))} {some}
        </>,
      )}
      {one(
        t.power,
        "power",
        (value) => (value >= 10_000 ? `${number(value / 1000)} kW` : `${number(value, 0)} W`),
        t.someGpus(of.power_gpus ?? 0, gpus),
      )}
      {one(
        t.temperature,
        "temperature_max",
        (value) => `${number(value, 0)} °C`,
        of.temperature == null ? "" : t.mean(`${number(of.temperature, 0)} °C`),
      )}
      {one(t.score, "score", (value) => (
        <a href={href(["health"])}>{value} / 100</a>
      ))}
    </>
  );
}

function OwnerTiles(props: { of: Summary; reasons: NullReasons }): JSX.Element {
  const { of } = props;
  const one = useOne(of, props.reasons);
  return (
    <>
      {one(
        t.users,
        "users",
        (value) => (
          <a href={href(["users"])}>{value}</a>
        ),
        of.processes == null ? "" : t.processes(of.processes),
      )}
      {one(t.namespaces, "namespaces", (value) => (
        <a href={href(["workloads"], { by: "namespace" })}>{value}</a>
      ))}
      {one(
        t.pods,
        "pods_running",
        (value) => (
          <a href={href(["workloads"])}>{`${value} ${t.running}`}</a>
        ),
        of.pods_pending == null ? "" : t.waiting(of.pods_pending),
      )}
      {one(
        t.requested,
        "gpus_requested",
        (value) => value,
        of.gpus_pending == null ? "" : t.pending(of.gpus_pending),
      )}
    </>
  );
}

export function Totals(props: { nodes: Nodes }): JSX.Element {
  const summary = useAsked<Summary[]>("api/v1/gpu/summary", instantParams());
  const reasons = summary.meta.null_reasons ?? {};
  const nodes = props.nodes.data;
  const offline = nodes?.filter((one) => one.status === "offline").length ?? 0;
  return (
    <section aria-labelledby="totals">
      <h2 id="totals">{words.totals}</h2>
      <Shown of={summary}>
        {([fleet]) =>
          fleet === undefined || fleet.gpus === 0 ? (
            <p class="empty">{words.noGpus}</p>
          ) : (
            <>
              <Stacks of={fleet} />
              <Tiles>
                <GpuTiles of={fleet} reasons={reasons} />
                <Tile label={t.nodes} more={offline > 0 ? t.offline(offline) : ""}>
                  <Value value={nodes && <a href={href(["nodes"])}>{props.nodes.meta.total}</a>} />
                </Tile>
                <OwnerTiles of={fleet} reasons={reasons} />
              </Tiles>
            </>
          )
        }
      </Shown>
    </section>
  );
}
