// The nodes of a HakuRiver host.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta, Schemas } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { columnsOf } from "../../parts/columns.tsx";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { HostTimeText, reasonOf } from "../../parts/facts.tsx";
import { Filters } from "../../parts/filters.tsx";
import { Phase } from "../../parts/phase.tsx";
import { Spark } from "../../parts/spark.tsx";
import { type Column, sortRows, Table } from "../../parts/table.tsx";
import { Unknown, Value } from "../../parts/value.tsx";
import { namedParams } from "../../state/filters.ts";
import { href, param, setParams } from "../../state/place.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { degrees } from "./cards.tsx";
import { NoPast, PercentMeter, ShowChoice, SourceChoice, STATUS_FILTER } from "./parts.tsx";

export type HakuNode = Schemas["HakuRiverNode"];
type Sample = Schemas["HakuRiverHealth"];

export function hakuHref(name: string): string {
  return href(["nodes", name], { source: "hakuriver" });
}

function hakuNodeColumns(meta: Meta, samples: ReadonlyMap<string, Sample>): Column<HakuNode>[] {
  const make = columnsOf<HakuNode>(meta.null_reasons);
  const fresh = (row: HakuNode) => {
    const known = samples.get(row.hostname ?? "")?.fresh;
    if (known === null || known === undefined) return null;
    return known ? words.freshYes : words.freshNo;
  };
  return [
    make.text("hostname", words.node, 150),
    make.text("status", words.status, 110, { show: (row) => <Phase of={row.status ?? ""} /> }),
    { key: "fresh", title: words.fresh, width: 90, value: fresh },
    make.count("gpu_info", words.gpus, 70, {
      value: (row) => row.gpu_info?.length,
      show: (row) => row.gpu_info?.length,
    }),
    make.percent("cpu_percent", words.cpu, 120),
    make.percent("memory_percent", words.memory, 120),
    make.size("memory_total_bytes", words.memoryTotal, 120),
    make.count("total_cores", words.cores, 80),
    make.count("available_cores", words.coresFree, 100),
    make.count("cores_in_use", words.inUse, 115),
    make.degrees("current_avg_temp", words.avgTemp, 100),
    make.degrees("current_max_temp", words.maxTemp, 120),
    make.count("numa_topology", words.numaCount, 75, {
      value: (row) => row.numa_topology?.length,
      show: (row) => row.numa_topology?.length,
    }),
    make.text("last_heartbeat", words.heartbeat, 205, {
      show: (row) => <HostTimeText text={row.last_heartbeat ?? ""} zone={row.time_zone} short />,
    }),
  ];
}

export function HakuNodes(): JSX.Element {
  const chosen = namedParams(["node", "status"]);
  const asked = useAsked<HakuNode[]>(HAKU + "nodes", chosen);
  const health = useAsked<Sample[]>(HAKU + "health", chosen, 5000, true);
  const samples = useMemo(
    () => new Map((health.data ?? []).map((one) => [one.hostname ?? "", one])),
    [health.data],
  );
  const columns = useMemo(() => hakuNodeColumns(asked.meta, samples), [asked.meta, samples]);
  const show = param("show") ?? "cards";
  const sort = param("sort");
  return (
    <>
      <Filters of={[{ name: "node", label: words.node }, STATUS_FILTER]}>
        <span class="filters-end">
          <SourceChoice clear={["status", "sort", "level", "model", "namespace"]} />
          <ShowChoice show={show} />
          <CsvButton name="hakuriver-nodes.csv" columns={columns} rows={asked.data} sort={sort} />
        </span>
      </Filters>
      <NoPast />
      <Shown of={asked}>
        {(nodes) =>
          nodes.length === 0 ? (
            <p class="empty">
              {Object.keys(chosen).length ? words.emptyFiltered : words.emptyHaku}
            </p>
          ) : show === "table" ? (
            <Table
              label={text.views.nodes}
              columns={columns}
              rows={nodes}
              rowKey={(row) => row.hostname ?? ""}
              rowHref={(row) => hakuHref(row.hostname ?? "")}
              sort={sort}
              onSort={(by) => setParams({ sort: by })}
            />
          ) : (
            <ul class="cards">
              {sortRows(nodes, columns, sort).map((node) => (
                <li key={node.hostname}>
                  <Card node={node} meta={asked.meta} sample={samples.get(node.hostname ?? "")} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  );
}

function Card(props: { node: HakuNode; meta: Meta; sample: Sample | undefined }): JSX.Element {
  const { node, sample } = props;
  const why = (field: string) => reasonOf(node, props.meta, field);
  const models = [...new Set((node.gpu_info ?? []).map((one) => one.name ?? text.unknown))];
  return (
    <article class={node.status === "offline" ? "card card-bad" : "card"}>
      <h2>
        <a href={hakuHref(node.hostname ?? "")}>{node.hostname}</a>
      </h2>
      <p class="card-state">
        <Phase of={node.status ?? "unknown"} />
        {sample?.fresh === false && <span>{words.notFresh}</span>}
      </p>
      <p class="muted">
        {node.gpu_info?.length === 0 ? (
          words.hakuNoGpus
        ) : node.gpu_info ? (
          `${node.gpu_info.length} × ${models.join(", ")}`
        ) : (
          <Unknown reason={why("gpu_info")} />
        )}
      </p>
      <CardFacts node={node} why={why} />
      {sample?.cpu_percent_history && (
        <Spark values={sample.cpu_percent_history} most={100} label={words.minuteOf(words.cpu)} />
      )}
      <p class="muted">
        {words.heartbeat}:{" "}
        {node.last_heartbeat ? (
          <HostTimeText text={node.last_heartbeat} zone={node.time_zone} />
        ) : (
          <Unknown reason={why("last_heartbeat")} />
        )}
      </p>
    </article>
  );
}

function CardFacts(props: {
  node: HakuNode;
  why: (field: string) => string | undefined;
}): JSX.Element {
  const { node, why } = props;
  const plain = (value: number | null | undefined) =>
    value === null || value === undefined ? null : String(value);
  return (
    <dl class="card-facts">
      <div>
        <dt>{words.cpu}</dt>
        <dd>
          <PercentMeter value={node.cpu_percent} reason={why("cpu_percent")} />
        </dd>
      </div>
      <div>
        <dt>{words.memory}</dt>
        <dd>
          <PercentMeter value={node.memory_percent} reason={why("memory_percent")} />
        </dd>
      </div>
      <div>
        <dt>{words.cores}</dt>
        <dd>
          <Value value={plain(node.available_cores)} reason={why("available_cores")} /> {words.free}{" "}
          {words.of} <Value value={plain(node.total_cores)} reason={why("total_cores")} />
        </dd>
      </div>
      <div>
        <dt>{words.maxTemp}</dt>
        <dd>
          <Value value={degrees(node.current_max_temp)} reason={why("current_max_temp")} />
        </dd>
      </div>
    </dl>
  );
}
