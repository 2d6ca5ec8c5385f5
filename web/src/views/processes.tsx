// Every process on every GPU.
import type { JSX } from "preact";
import { Link } from "../parts/link.tsx";
import { gpuHref, nodeHref } from "../parts/links.ts";
import { useMemo, useState } from "preact/hooks";
import { ask, type GpuProcess, type Params } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { ColumnChooser, offersOf } from "../parts/chooser.tsx";
import { chosenColumns } from "../parts/chosen.ts";
import { columnsOfFields } from "../parts/columns.tsx";
import { CopyButton } from "../parts/command.tsx";
import { save, toCsv } from "../parts/csv.ts";
import { type Field, fieldsOf, isNumber, namesOf, titleOf, useFields } from "../parts/fields.ts";
import { FilterBox } from "../parts/filterbox.tsx";
import { filtersOf } from "../parts/filtertext.ts";
import { time, withUnit } from "../parts/format.ts";
import { useKept } from "../parts/kept.ts";
import { offsetOf, Pager } from "../parts/pager.tsx";
import type { Cell } from "../parts/sort.ts";
import { type Column, Table } from "../parts/table.tsx";
import { href, param, place, setParams } from "../state/place.ts";
import { instantParams, range } from "../state/range.ts";
import "../style/processes.css";
import { processesText as words } from "../text/en/processes.ts";
import { text } from "../text/en.ts";

const PAGE = 1000;
const CSV_MOST = 100_000;
const KNOWN = ["window", "start", "end", "at", "sort", "columns", "offset", "open"];
const USUAL = [
  "node_name",
  "gpu_id",
  "user",
  "pid",
  "process_name",
  "gpu_memory_bytes",
  "cpu",
  "memory",
  "command",
];
const WIDTHS: Record<string, number> = {
  node_name: 140,
  gpu_id: 60,
  user: 100,
  gpu_memory_bytes: 135,
  pid: 90,
  process_name: 190,
  command: 380,
  uuid: 330,
  null_reasons: 200,
  timestamp: 110,
};

function keyOf(row: GpuProcess): string {
  return [row.node_name, row.gpu_id, row.uuid, row.pid].join("/");
}

function cellOf(row: GpuProcess, name: string): Cell {
  const value = (row as Record<string, unknown>)[name];
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number") return value;
  return JSON.stringify(value);
}

// A command is cut by its cell; the whole stands above as long as somebody is at it.
function CommandCell(props: { row: GpuProcess; point: (row: GpuProcess) => void }): JSX.Element {
  const { row, point } = props;
  return (
    <button
      type="button"
      class="whole-command"
      title={row.command ?? ""}
      onFocus={() => point(row)}
      onPointerEnter={() => point(row)}
      onClick={() => setParams({ open: keyOf(row) })}
    >
      {row.command}
    </button>
  );
}

function Shows(props: {
  field: Field;
  row: GpuProcess;
  point: (row: GpuProcess) => void;
}): JSX.Element {
  const { field, row, point } = props;
  const value = cellOf(row, field.name);
  if (field.name === "command") return <CommandCell row={row} point={point} />;
  if (field.name === "pid" || field.name === "gpu_index") return <>{String(value)}</>;
  if (field.name === "timestamp") return <>{time(String(value))}</>;
  if (typeof value === "number") return <>{withUnit(value, field.unit)}</>;
  if (field.name === "user") return <a href={href(["processes"], { user: row.user })}>{value}</a>;
  if (field.name === "node_name") return <Link to={nodeHref(String(value))}>{value}</Link>;
  if (field.name !== "gpu_id" || !row.node_name || !row.gpu_id) return <>{value}</>;
  const label = words.gpuLink(row.node_name, row.gpu_id);
  return (
    <Link to={gpuHref(row.node_name, row.gpu_id)} label={label}>
      {value}
    </Link>
  );
}

function processColumns(
  fields: readonly Field[],
  chosen: readonly string[],
  nullReasons: Record<string, string>,
  point: (row: GpuProcess) => void,
): Column<GpuProcess>[] {
  return columnsOfFields(fields, chosen, {
    cell: cellOf,
    show: (field, row) => <Shows field={field} row={row} point={point} />,
    reason: (row, name) => row.null_reasons?.[name] ?? nullReasons[name],
    width: (field) => WIDTHS[field.name] ?? (isNumber(field) ? 120 : 140),
    title: (name) => (name === "memory" ? words.columns.memory : titleOf(name)),
    mayBeNone: new Set(["null_reasons"]),
    byServer: true,
  });
}

function Whole(props: { row: GpuProcess | undefined }): JSX.Element {
  const { row } = props;
  if (row === undefined || !row.command) return <p class="whole">{words.noCommand}</p>;
  const label = words.whole(String(row.pid ?? text.unknown), row.user ?? text.unknown);
  return (
    <div class="whole" role="region" aria-label={words.command}>
      <span class="whole-of">{label}</span> <CopyButton text={row.command} what={words.command} />
      <code>{row.command}</code>
    </div>
  );
}

function searched(rows: readonly GpuProcess[], wanted: readonly string[]): readonly GpuProcess[] {
  if (wanted.length === 0) return rows;
  const low = wanted.map((word) => word.toLowerCase());
  return rows.filter((row) => {
    const all = [row.node_name, row.gpu_id, row.uuid, row.user, row.pid, row.process_name];
    const hay = [...all, row.command, row.namespace, row.pod].join("\n").toLowerCase();
    return low.every((word) => hay.includes(word));
  });
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

// What the URL asks for, and what came of it.
function useProcesses(fields: readonly Field[]) {
  const names = useMemo(() => namesOf(fields), [fields]);
  const filters = filtersOf(place.value.params, names);
  const sort = param("sort");
  const offset = offsetOf();
  const params: Params = {
    ...filters.params,
    ...(sort === null ? {} : { sort }),
    ...instantParams(),
  };
  const page = { limit: PAGE, ...(offset > 0 ? { offset } : {}) };
  const path = fields.length === 0 ? null : "api/v1/gpu/processes";
  const every = range.value.at === null ? 5000 : 0;
  const asked = useAsked<GpuProcess[]>(path, { ...params, ...page }, every);
  const found = useKept(asked, JSON.stringify(filters.params) + (range.value.at ?? ""));
  const wordsText = filters.words.join("\n");
  const rows = useMemo(() => searched(found.data ?? [], filters.words), [found.data, wordsText]);
  const total = found.meta.total ?? rows.length;
  const filtered = filters.words.length > 0 || Object.keys(filters.params).length > 0;
  return { names, params, sort, found, rows, total, filtered, byWords: wordsText !== "" };
}

type Found = ReturnType<typeof useProcesses>;

async function saveAll(
  of: Found,
  columns: readonly Column<GpuProcess>[],
  chosen: readonly string[],
): Promise<void> {
  if (of.total <= PAGE) return save("processes.csv", toCsv(columns, of.rows));
  const all: Params = { ...of.params, fields: chosen.join(","), limit: CSV_MOST, format: "csv" };
  const response = await ask("api/v1/gpu/processes", all);
  if (response.ok) save("processes.csv", await response.text());
}

function Bar(props: {
  of: Found;
  fields: readonly Field[];
  chosen: readonly string[];
  csv: () => void;
}): JSX.Element {
  const { of, fields, chosen } = props;
  const { rows, total } = of;
  return (
    <div class="bar">
      <FilterBox
        names={of.names}
        known={KNOWN}
        also={{ offset: null }}
        placeholder={words.filter}
      />
      <ColumnChooser of={offersOf(fields)} chosen={chosen} usual={USUAL} />
      <button type="button" onClick={props.csv}>
        {text.table.csv}
      </button>
      <span class="count" data-count={of.found.data === undefined ? "" : total}>
        {of.found.data !== undefined &&
          (rows.length === total ? words.count(total) : words.found(rows.length, total))}
      </span>
      {total > PAGE && of.byWords && <p class="note">{words.onePage}</p>}
    </div>
  );
}

export default function Processes(): JSX.Element {
  const asked = useFields();
  const fields = useMemo(() => fieldsOf(asked.data, "processes"), [asked.data]);
  const of = useProcesses(fields);
  const [pointed, setPointed] = useState<GpuProcess>();
  const all = fields.map((field) => field.name);
  const chosenText = chosenColumns(USUAL, all).join(",");
  const chosen = chosenText.split(",");
  const reasons = of.found.meta.null_reasons ?? {};
  const columns = useMemo(
    () => processColumns(fields, chosen, reasons, setPointed),
    [fields, chosenText, JSON.stringify(reasons)],
  );
  const opened = of.rows.find((row) => keyOf(row) === param("open"));
  return (
    <Shown of={asked}>
      {() => (
        <>
          <Bar
            of={of}
            fields={fields}
            chosen={chosen}
            csv={() => void saveAll(of, columns, chosen)}
          />
          <Shown of={of.found}>
            {() => (
              <>
                <Table
                  label={text.views.processes}
                  columns={columns}
                  rows={of.rows}
                  rowKey={keyOf}
                  sort={of.sort}
                  sorted
                  onSort={(next) => setParams({ sort: next, offset: null })}
                  empty={<Empty filtered={of.filtered} />}
                  height="calc(100vh - 310px)"
                />
                <Whole row={pointed ?? opened} />
                <Pager size={PAGE} total={of.total} />
              </>
            )}
          </Shown>
        </>
      )}
    </Shown>
  );
}
