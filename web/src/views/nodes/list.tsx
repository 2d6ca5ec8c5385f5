// All nodes with GPUs, as cards or as a table.
import type { JSX } from "preact";
import { nodeHref } from "../../parts/links.ts";
import { useMemo } from "preact/hooks";
import type { Meta } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { ColumnChooser } from "../../parts/chooser.tsx";
import { chosenColumns, pick } from "../../parts/chosen.ts";
import { CsvButton } from "../../parts/csvbutton.tsx";
import { Filters } from "../../parts/filters.tsx";
import { offsetOf, Pager } from "../../parts/pager.tsx";
import { type Column, sortRows, Table } from "../../parts/table.tsx";
import { filterParams } from "../../state/filters.ts";
import { href, param, setParams } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { text } from "../../text/en.ts";
import { words } from "../../text/en/nodes.ts";
import { Cards } from "./cards.tsx";
import { nodeColumns, USUAL_COLUMNS } from "./columns.tsx";
import { type Node, ShowChoice, SourceChoice, STATUS_FILTER } from "./parts.tsx";

const FILTERS = ["node", "status", "level", "model", "namespace"] as const;
// So many cards can be looked over; more nodes are a table.
const MANY = 60;

export function NodeList(): JSX.Element {
  const chosen = filterParams(FILTERS);
  const asked = useAsked<Node[]>("api/v1/gpu/nodes", { ...chosen, ...instantParams() });
  const rows = asked.data;
  const show = param("show") ?? ((rows?.length ?? 0) > MANY ? "table" : "cards");
  const sort = param("sort");
  const all = useMemo(() => nodeColumns(asked.meta), [asked.meta]);
  const keys = chosenColumns(
    USUAL_COLUMNS,
    all.map((column) => column.key),
  );
  const columns = useMemo(() => pick(all, keys), [all, keys.join()]);
  // Also by what is not among the columns.
  const sorted = useMemo(() => (rows ? sortRows(rows, all, sort) : rows), [rows, all, sort]);
  const models = useMemo(
    () => [...new Set((rows ?? []).flatMap((row) => row.models ?? []))].sort(),
    [rows],
  );
  return (
    <>
      <Filters
        names={FILTERS}
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
          <SourceChoice clear={["status", "sort", "columns"]} />
          <ShowChoice show={show} />
          {show === "table" && <ColumnChooser of={all} chosen={keys} usual={USUAL_COLUMNS} />}
          <CsvButton name="nodes.csv" columns={columns} rows={sorted} sort={null} />
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
              rows={sorted ?? nodes}
              sorted
              rowKey={(row) => row.node_name ?? ""}
              rowHref={(row) => nodeHref(row.node_name) ?? href(["nodes"])}
              sort={sort}
              onSort={(by) => setParams({ sort: by })}
            />
          ) : (
            <CardPage nodes={sorted ?? nodes} columns={all} meta={asked.meta} />
          )
        }
      </Shown>
    </>
  );
}

// Cards are all in the document, so there are not more than a page of them.
const PAGE = 120;

function CardPage(props: {
  nodes: readonly Node[];
  columns: readonly Column<Node>[];
  meta: Meta;
}): JSX.Element {
  const sort = param("sort");
  const { nodes, columns } = props;
  const total = nodes.length;
  const from = Math.min(offsetOf(), Math.max(0, total - 1));
  const sorts = columns.filter((one) => !["models", "namespaces", "exporters"].includes(one.key));
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
        <Pager size={PAGE} total={total} />
      </div>
      <Cards nodes={nodes.slice(from, from + PAGE)} meta={props.meta} />
    </>
  );
}
