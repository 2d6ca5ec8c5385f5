// The fleet at a glance: what is the matter first.
import type { JSX } from "preact";
import type { Schemas } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { instantParams } from "../state/range.ts";
import { overviewText as words } from "../text/en/overview.ts";
import { Models, Top } from "./overview/gpus.tsx";
import { Hosts } from "./overview/hosts.tsx";
import { Past } from "./overview/past.tsx";
import { Problems } from "./overview/problems.tsx";
import { Tasks } from "./overview/tasks.tsx";
import { Totals } from "./overview/totals.tsx";
import "../style/lists.css";
import "../style/overview.css";

// No more of the nodes than is shown: there may be thousands.
const NODE_FIELDS = [
  "node_name",
  "status",
  "status_reason",
  "last_seen",
  "exporters",
  "cpu",
  "cores_total",
  "host_memory_total_bytes",
  "host_memory_available_bytes",
].join(",");

export default function Overview(): JSX.Element {
  const nodes = useAsked<Schemas["GpuNode"][]>("api/v1/gpu/nodes", {
    fields: NODE_FIELDS,
    ...instantParams(),
  });
  return (
    <>
      <Problems nodes={nodes} />
      <Totals nodes={nodes} />
      <Past />
      <Hosts />
      <div class="columns">
        <Tasks />
        <div>
          <Top id="hottest" title={words.hottest} field="temperature" unit="°C" />
          <Top id="busiest" title={words.busiest} field="utilization" unit="%" />
        </div>
      </div>
      <Models />
    </>
  );
}
