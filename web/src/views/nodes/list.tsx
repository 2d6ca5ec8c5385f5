// All nodes with GPUs, as cards or as a table.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Meta } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { Filters } from "../../parts/filters.tsx";
import { sortRows, Table } from "../../parts/table.tsx";
import { filterParams } from "../../state/here.ts";
import { href, param, setParams } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { Cards } from "./cards.tsx";
import { nodeColumns } from "./columns.tsx";
import { type Node, ShowChoice, SourceChoice, STATUS_FILTER } from "./parts.tsx";

const FILTERS = ["node", "status", "level", "model", "namespace"] as const;
// So many cards can be looked over; more nodes are a table.
const MANY = 60;

export function NodeList(): JSX.Element {
  const chosen = filterParams(FILTERS);
  const asked = useAsked<Node[]>("api/v1/gpu/nodes", { ...chosen, ...instantParams() });
  const rows = asked.data;
  const show = param("show") ?? ((rows?.length ?? 0) > MANY ? "table" : "cards");
  const columns = useMemo(() => nodeColumns(asked.meta), [asked.meta]);
  const models = useMemo(
    () => [...new Set((rows ?? []).flatMap((row) => row.models ?? []))].sort(),
    [rows],
  );
  return (
    <>
      <Filters
        of={[
          { name: "node", label: words.node },
          STATUS_FILTER,
          {
            name: "level",
            label: words.level,
            options: Object.entries(text.levels),
          },
          { name: "model", label: words.model, hints: models },
        ]}
      >
        <span class="filters-end">
          <SourceChoice clear={["status", "sort"]} />
          <ShowChoice show={show} />
          <CsvButton name="nodes.csv" columns={columns} rows={rows} sort={param("sort")} />
        </span>
      </Filters>
      <Shown of={asked}>
        {(nodes) =>
          nodes.length === 0 ? (
            <p class="empty">{Object.keys(chosen).length ? words.emptyFiltered : words.empty}</p>
          ) : show === "table" ? (
            <Table
              label={text.views.nodes}
              columns={columns}
              rows={nodes}
              rowKey={(row) => row.node_name ?? ""}
              rowHref={(row) => href(["nodes", row.node_name ?? ""])}
              sort={param("sort")}
              onSort={(sort) => setParams({ sort })}
            />
          ) : (
            <CardPage nodes={nodes} meta={asked.meta} />
          )
        }
      </Shown>
    </>
  );
}

// Cards are all in the document, so there are not more than a page of them.
const PAGE = 120;

function CardPage(props: { nodes: readonly Node[]; meta: Meta }): JSX.Element {
  const sort = param("sort");
  const columns = nodeColumns(props.meta);
  const sorted = sortRows(props.nodes, columns, sort);
  const total = sorted.length;
  const from = Math.min(Math.max(0, Number(param("offset") ?? 0) || 0), Math.max(0, total - 1));
  const to = Math.min(total, from + PAGE);
  const sorts = columns.filter((one) => !["models", "exporters"].includes(one.key));
  return (
    <>
      <div class="card-bar">
        <label class="sorter">
          {text.table.sortBy("").trim()}{" "}
          <select
            value={sort ?? ""}
            onChange={(event) => setParams({ sort: event.currentTarget.value || null })}
          >
            <option value="">–</option>
            {sorts.map((one) => {
              const key = one.numeric ? "-" + one.key : one.key;
              return (
                <option key={key} value={key}>
                  {one.title}
                </option>
              );
            })}
            {sort !== null && !sorts.some((one) => (one.numeric ? "-" : "") + one.key === sort) && (
              <option value={sort}>{sort}</option>
            )}
          </select>
        </label>
        {total > PAGE && (
          <span>
            {words.page(from + 1, to, total)}{" "}
            <button
              type="button"
              disabled={from === 0}
              onClick={() => setParams({ offset: String(Math.max(0, from - PAGE)) })}
            >
              {words.before}
            </button>{" "}
            <button
              type="button"
              disabled={to >= total}
              onClick={() => setParams({ offset: String(to) })}
            >
              {words.next}
            </button>
          </span>
        )}
      </div>
      <Cards nodes={sorted.slice(from, to)} meta={props.meta} />
    </>
  );
}
