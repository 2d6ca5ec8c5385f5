// What is the matter with a node's machine and its GPUs.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { gpuHref } from "../../parts/links.ts";
import type { Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Kept, PlainTable, Time } from "../../parts/facts.tsx";
import { Phase } from "../../parts/phase.tsx";
import { instantParams } from "../../state/range.ts";
import { words } from "../../text/en/nodes.ts";

type Health = Schemas["GpuHealth"];
const EVERY = 15_000;
const ORDER = ["critical", "warning", "info"];

export function Findings(props: { name: string }): JSX.Element {
  const params = { node: props.name, ...instantParams() };
  const machine = useAsked<Health[]>("api/v1/gpu/health", { ...params, by: "node" }, EVERY, true);
  const gpus = useAsked<Health[]>("api/v1/gpu/health", params, EVERY, true);
  return (
    <section class="section">
      <h3>{words.findings}</h3>
      <Kept of={machine}>
        {(ofNode) => <Kept of={gpus}>{(ofGpus) => <Rows of={[...ofNode, ...ofGpus]} />}</Kept>}
      </Kept>
    </section>
  );
}

function Rows(props: { of: readonly Health[] }): JSX.Element {
  const all = props.of.flatMap((row) => (row.findings ?? []).map((finding) => ({ row, finding })));
  if (all.length === 0) return <p class="muted">{words.noFindings}</p>;
  const worst = (one: (typeof all)[number]) => ORDER.indexOf(one.finding.severity ?? "info");
  all.sort((a, b) => worst(a) - worst(b));
  return (
    <PlainTable
      label={words.findings}
      columns={[
        { title: words.gpu },
        { title: words.severity },
        { title: words.component },
        { title: words.finding },
        { title: words.action },
        { title: words.since },
      ]}
      rows={all.map(({ row, finding }, i) => ({
        key: String(i),
        cells: [
          row.gpu_id ? (
            <Link to={gpuHref(row.node_name, row.gpu_id)}>{row.gpu_id}</Link>
          ) : (
            words.machine
          ),
          <Phase key="s" of={finding.severity ?? "info"} />,
          finding.component,
          finding.finding,
          words.actions[finding.action ?? ""] ?? finding.action,
          // Null: it was there before anybody looked.
          finding.since ? <Time iso={finding.since} /> : "",
        ],
      }))}
    />
  );
}
