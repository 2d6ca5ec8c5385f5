// All GPUs: as a table with every field as a column to choose, or as a map of the fleet.
import type { JSX } from "preact";
import { gpuHref } from "../../parts/links.ts";
import { useMemo, useRef } from "preact/hooks";
import { ask, type Params } from "../../api/client.ts";
import type { GpuRow } from "../../api/live.ts";
import { isInstance, keyOf, USUAL_COLUMNS } from "../../fleet/cells.ts";
import { Shown } from "../../parts/asked.tsx";
import { ColumnChooser, offersOf } from "../../parts/chooser.tsx";
import { chosenColumns } from "../../parts/chosen.ts";
import { save } from "../../parts/csv.ts";
import { type Field, fieldsOf, namesOf, useFields } from "../../parts/fields.ts";
import { FilterBox } from "../../parts/filterbox.tsx";
import { filtersOf } from "../../parts/filtertext.ts";
import { Pager } from "../../parts/pager.tsx";
import { Table } from "../../parts/table.tsx";
import { href, param, place, setParams } from "../../state/place.ts";
import { range } from "../../state/range.ts";
import { gpusText } from "../../text/en/gpus.ts";
import { text } from "../../text/en.ts";
import "../../style/gpus.css";
import { gpuColumns } from "./columns.tsx";
import { HeatMap, HEATS, type HeatName } from "./heatmap.tsx";
import { type GpuRows, LIVE_MOST, PAGE, useGpuRows } from "./rows.ts";

const words = gpusText.list;
const KNOWN = [
  "window",
  "start",
  "end",
  "at",
  "sort",
  "columns",
  "show",
  "color",
  "offset",
  "open",
];
const CSV_MOST = 100_000;

// What the heat map's colours say.
function heatOf(): HeatName {
  const asked = param("color") ?? "";
  return (HEATS as readonly string[]).includes(asked) ? (asked as HeatName) : "utilization";
}

async function saveCsv(found: GpuRows, chosen: readonly string[]): Promise<void> {
  if (found.by === "live") return save("gpus.csv", await found.fleet.csv(chosen));
  const params: Params = { ...found.params, fields: chosen.join(","), limit: CSV_MOST };
  const response = await ask("api/v1/gpu/metrics", { ...params, format: "csv" });
  if (response.ok) save("gpus.csv", await response.text());
}

function Bar(props: {
  fields: readonly Field[];
  chosen: readonly string[];
  found: GpuRows;
  asMap: boolean;
  divided: boolean;
}): JSX.Element {
  const { fields, chosen, found, asMap, divided } = props;
  const names = useMemo(() => namesOf(fields), [fields]);
  const paged = found.by === "page" && found.total > LIVE_MOST;
  return (
    <div class="bar">
      <FilterBox
        names={names}
        known={KNOWN}
        also={{ offset: null, show: asMap ? "map" : "table" }}
        help={words.filterHelp}
      />
      <label>
        {words.show}{" "}
        <select
          value={asMap ? "map" : "table"}
          onChange={(event) => setParams({ show: event.currentTarget.value }, "push")}
        >
          <option value="table">{words.table}</option>
          <option value="map">{words.map}</option>
        </select>
      </label>
      {!asMap && <ColumnChooser of={offersOf(fields)} chosen={chosen} usual={USUAL_COLUMNS} />}
      <button type="button" onClick={() => void saveCsv(found, chosen)}>
        {text.table.csv}
      </button>
      <span class="count" data-count={found.by === "nothing" ? "" : found.count}>
        {found.by !== "nothing" &&
          words.count(paged ? found.total : found.count, found.total, divided)}{" "}
        {range.value.at === null && found.by === "live" && (
          <small>{found.fleet.state?.stale ? words.old : words.live}</small>
        )}
        {paged && <small>{words.polled}</small>}
      </span>
      {paged && <p class="note">{words.paged(LIVE_MOST)}</p>}
      {paged && found.total > CSV_MOST && <p class="note">{words.saved(CSV_MOST, found.total)}</p>}
    </div>
  );
}

function Empty(props: { filtered: boolean }): JSX.Element {
  return (
    <>
      <p>
        <b>{props.filtered ? words.none : words.first}</b>
      </p>
      <p>{props.filtered ? words.noneHelp : words.firstHelp}</p>
    </>
  );
}

const linkOf = (row: GpuRow) => {
  const { node_name, gpu_id, uuid } = row;
  return gpuHref(node_name, gpu_id) ?? href(["gpus"], uuid ? { uuid } : {});
};

const partOf = (row: GpuRow) => (isInstance(row) ? words.instance : undefined);

export function GpuList(): JSX.Element {
  const asked = useFields();
  const fields = useMemo(() => fieldsOf(asked.data, "metrics"), [asked.data]);
  const names = useMemo(() => namesOf(fields), [fields]);
  const { params, words: searched } = filtersOf(place.value.params, names);
  const asMap = param("show") === "map";
  const all = fields.map((field) => field.name);
  const columnsText = chosenColumns(USUAL_COLUMNS, all).join(",");
  const chosen = useMemo(() => columnsText.split(","), [columnsText]);
  const heat = heatOf();
  const found = useGpuRows({
    fields,
    filters: params,
    words: searched,
    columns: chosen,
    sort: param("sort"),
    at: range.value.at,
    map: asMap ? heat : null,
  });
  // Once there was one its column stays wide enough: only the rows that are seen are here.
  const divided = useRef(false);
  divided.current ||= found.rows.some(isInstance);
  const reasons = JSON.stringify(found.nullReasons);
  const columns = useMemo(
    () => gpuColumns(fields, chosen, found.nullReasons, found.by === "page", divided.current),
    [fields, chosen, reasons, found.by, divided.current],
  );
  const failed = found.by === "nothing" && found.page.error !== undefined;
  const filtered = searched.length > 0 || Object.keys(params).length > 0;
  return (
    <Shown of={asked}>
      {() => (
        <>
          <Bar
            fields={fields}
            chosen={chosen}
            found={found}
            asMap={asMap}
            divided={divided.current}
          />
          {failed && <Shown of={found.page}>{() => null}</Shown>}
          {found.by === "nothing" && !failed && <p class="loading">{text.loading}</p>}
          {asMap && found.by !== "nothing" && <HeatMap map={found.fleet.map} by={heat} />}
          {!asMap && found.by !== "nothing" && (
            <Table
              label={text.views.gpus}
              columns={columns}
              rows={found.rows}
              first={found.first}
              total={found.count}
              onSeen={found.onSeen}
              sorted
              rowKey={keyOf}
              rowHref={linkOf}
              rowPart={partOf}
              sort={param("sort")}
              onSort={(sort) => setParams({ sort, offset: null })}
              empty={<Empty filtered={filtered} />}
            />
          )}
          {found.by === "page" && found.total > LIVE_MOST && !asMap && (
            <Pager size={PAGE} total={found.total} />
          )}
        </>
      )}
    </Shown>
  );
}
