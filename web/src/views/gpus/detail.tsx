// One GPU: what it does, how it is, who uses it, what happened to it, and who says so.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { nodeHref } from "../../parts/links.ts";
import type { Params } from "../../api/client.ts";
import type { GpuRow } from "../../api/live.ts";
import { useAsked } from "../../api/query.ts";
import { isInstance, migText } from "../../fleet/cells.ts";
import { Shown } from "../../parts/asked.tsx";
import { CopyButton } from "../../parts/command.tsx";
import { fieldsOf, useFields } from "../../parts/fields.ts";
import { href, param, place, setParams } from "../../state/place.ts";
import { instantParams, range } from "../../state/range.ts";
import { gpuText } from "../../text/en/gpu.ts";
import "../../style/gpu.css";
import { useTitle } from "../nodes/parts.tsx";
import { HistoryCharts } from "./history.tsx";
import { EventsOf, HealthOf, ProcessesOf, WorkloadsOf } from "./parts.tsx";
import { Instances } from "./instances.tsx";
import { Sources } from "./sources.tsx";
import { Values } from "./values.tsx";

export interface Which {
  readonly node: string | null;
  readonly gpu: string | null;
  readonly uuid: string | null;
}

// A name that has a * would be one of many: it is asked as it is, and compared here.
function paramsOf({ node, gpu, uuid }: Which): Params {
  return {
    ...(node === null ? {} : { node }),
    ...(gpu === null ? {} : { gpu }),
    ...(uuid === null ? {} : { uuid }),
  };
}

function nameOf(row: GpuRow): string {
  return migText(row.mig) ?? gpuText.whole;
}

function Gone(props: { which: Which }): JSX.Element {
  const { node, gpu, uuid } = props.which;
  return (
    <div class="empty">
      <p>
        <b>{gpuText.gone}</b> {gpuText.goneHelp}
      </p>
      <p>
        <a href={href(["events"], { node, gpu, uuid })}>{gpuText.goneLink}</a> ·{" "}
        <a href={href(["gpus"], { node, show: "table" })}>{gpuText.goneList}</a>
      </p>
    </div>
  );
}

function Title(props: { rows: readonly GpuRow[]; which: Which }): JSX.Element {
  const { node, gpu, uuid } = props.which;
  const [row] = props.rows;
  const names = [row?.node_name ?? node, row?.gpu_id ?? gpu] as const;
  const shown = row?.uuid ?? uuid;
  const title =
    names[0] && names[1] ? gpuText.title(names[0], names[1]) : gpuText.byUuid(shown ?? "");
  return (
    <>
      <p class="crumbs">
        <a href={href(["gpus"])}>{gpuText.back}</a>
        {names[0] && (
          <>
            {" "}
            › <Link to={nodeHref(names[0])}>{names[0]}</Link>
          </>
        )}
      </p>
      <h2 class="gpu-title">{title}</h2>
      <p class="gpu-sub">
        {row?.gpu_name}
        {shown && (
          <>
            {" "}
            <code>{shown}</code> <CopyButton text={shown} what={gpuText.uuid} />
          </>
        )}
      </p>
    </>
  );
}

function SourcesBox(props: { params: Params }): JSX.Element {
  const shown = param("open") === "sources";
  return (
    <details
      class="sources"
      open={shown}
      onToggle={(event) => {
        const { open } = event.currentTarget;
        if (open !== shown) setParams({ open: open ? "sources" : null });
      }}
    >
      <summary>
        <h3>{gpuText.sources}</h3>
      </summary>
      {shown && <Sources which={props.params} nameOf={nameOf} />}
    </details>
  );
}

export function GpuDetail(props: { which: Which }): JSX.Element {
  const { node, gpu, uuid } = props.which;
  useTitle(node && gpu ? gpuText.title(node, gpu) : gpuText.byUuid(uuid ?? ""));
  const params = paramsOf(props.which);
  const every = range.value.at === null ? 5000 : 0;
  const asked = useAsked<GpuRow[]>("api/v1/gpu/metrics", { ...params, ...instantParams() }, every);
  const fields = useFields();
  const rows = asked.data ?? [];
  const names = new Map(rows.map((row) => [row.mig?.uuid ?? "", nameOf(row)]));
  const of = (uuid: string) => names.get(uuid) ?? uuid;
  const nullReasons = asked.meta.null_reasons ?? {};
  // By its UUID alone other routes would not find what has no UUID.
  const [row] = rows;
  const known: Params =
    row?.node_name && row.gpu_id ? { node: row.node_name, gpu: row.gpu_id } : params;
  const divided = rows.length > 0 && rows.every(isInstance);
  return (
    <div class="gpu" data-place={place.value.path.join("/")}>
      <Title rows={rows} which={props.which} />
      <Shown of={asked}>
        {(found) =>
          found.length === 0 ? (
            <Gone which={props.which} />
          ) : (
            <>
              <HealthOf which={known} nameOf={of} divided={divided} />
              <Instances rows={found} nullReasons={nullReasons} />
              <h3>{gpuText.values}</h3>
              <Shown of={fields}>
                {(all) => (
                  <Values
                    fields={fieldsOf(all, "metrics")}
                    rows={found}
                    nameOf={nameOf}
                    nullReasons={nullReasons}
                  />
                )}
              </Shown>
              <WorkloadsOf rows={found} nullReasons={nullReasons} nameOf={nameOf} />
              <ProcessesOf which={known} />
            </>
          )
        }
      </Shown>
      <h3>{gpuText.history}</h3>
      <HistoryCharts which={known} nameOf={of} divided={divided} />
      <EventsOf which={known} />
      {range.value.at === null && <SourcesBox params={known} />}
    </div>
  );
}
