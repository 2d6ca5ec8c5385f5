// The fleet as one picture: a cell for each GPU, grouped by node.
import type { JSX } from "preact";
import { Link } from "../../parts/link.tsx";
import { gpuHref } from "../../parts/links.ts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FleetMap } from "../../fleet/store.ts";
import { param, setParams } from "../../state/place.ts";
import { theme } from "../../state/prefs.ts";
import { reasonText } from "../../parts/value.tsx";
import { gpusText } from "../../text/en/gpus.ts";
import { text } from "../../text/en.ts";
import { cellAt, layoutOf, placeOf, sizeOf, stepTo } from "./heat.ts";
import { Legend, NodeTable } from "./legend.tsx";
import { inkOf, paint, valueText } from "./paint.ts";

const words = gpusText.map;
export const HEATS = ["utilization", "memory_used_percent", "temperature", "health"] as const;
export type HeatName = (typeof HEATS)[number];

// The node and gpu_id of a cell, and how the GPU is called.
function whoIs(map: FleetMap, cell: number): { node: string; id: string; gpu: string } {
  let low = 0;
  let high = map.nodes.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((map.starts[middle] ?? 0) <= cell) low = middle;
    else high = middle - 1;
  }
  const [id = "", gpu = ""] = [map.ids, map.gpus].map((all) => all.split("\n", cell + 1)[cell]);
  return { node: map.nodes[low] ?? "", id, gpu };
}

function linkOf(map: FleetMap, cell: number): string | undefined {
  const { node, id } = whoIs(map, cell);
  return gpuHref(node, id);
}

function cellText(map: FleetMap, cell: number): string {
  const { node, gpu } = whoIs(map, cell);
  return words.cell(node, gpu, valueText(map, cell) ?? reasonText(map.reasons[cell]));
}

function open(map: FleetMap, cell: number): void {
  const link = cell >= 0 && cell < map.values.length ? linkOf(map, cell) : undefined;
  if (link !== undefined) location.hash = link;
}

// Width and height of an element, as it has them now.
function useBox(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [box, setBox] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const watch = new ResizeObserver(() =>
      setBox({ width: target.clientWidth - 8, height: target.clientHeight - 8 }),
    );
    watch.observe(target);
    return () => watch.disconnect();
  }, []);
  return box;
}

function useDark(): boolean {
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const listen = () => setDark(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return dark;
}

// What is drawn, and how; it is drawn again when any of it changes, and when it is scrolled.
function usePicture(map: FleetMap, by: HeatName, at: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useBox(scroller);
  const count = map.values.length;
  const size = sizeOf(count);
  const layout = useMemo(
    () => layoutOf(map.starts, count, width, size),
    [map.starts.join(), count, width, size.cell],
  );
  const shade = `${theme.value}${useDark()}${by}`;
  const ink = useMemo(() => inkOf(by), [shade]);
  const draw = () => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width <= 0) return;
    const ratio = devicePixelRatio || 1;
    if (element.width !== Math.round(width * ratio)) element.width = Math.round(width * ratio);
    if (element.height !== Math.round(height * ratio)) element.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const top = scroller.current?.scrollTop ?? 0;
    paint(context, { map, layout, size, top, width, height, at }, ink);
  };
  useEffect(draw);
  const due = useRef(0);
  const drawSoon = () => {
    cancelAnimationFrame(due.current);
    due.current = requestAnimationFrame(draw);
  };
  // The cell under the pointer.
  const under = (event: MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return -1;
    const top = scroller.current?.scrollTop ?? 0;
    return cellAt(layout, size, event.clientX - box.left, event.clientY - box.top + top);
  };
  const reveal = (cell: number) => {
    const { y } = placeOf(layout, size, cell);
    const box = scroller.current;
    if (box && y - size.label < box.scrollTop) box.scrollTop = y - size.label - 2;
    if (box && y + size.line > box.scrollTop + height) box.scrollTop = y + size.line - height + 2;
  };
  return { scroller, canvas, width, height, count, size, layout, drawSoon, under, reveal };
}

function Cells(props: { map: FleetMap; by: HeatName; tell: (cell: number) => void }): JSX.Element {
  const { map, by, tell } = props;
  const [at, setAt] = useState(-1);
  const picture = usePicture(map, by, at);
  const { width, height, count, size, layout, under } = picture;
  const moveTo = (cell: number) => {
    setAt(cell);
    tell(cell);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && at >= 0) open(map, at);
    else if (/^(Arrow(Up|Down|Left|Right)|Home|End)$/.test(event.key)) {
      const next = at < 0 ? 0 : stepTo(layout, size, at, event.key, count);
      picture.reveal(next);
      moveTo(next);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={picture.scroller}
      class="heat-scroll"
      tabIndex={0}
      role="application"
      aria-roledescription={words.role}
      aria-label={words.label(words[by], count, map.nodes.length)}
      aria-describedby="heat-now"
      onKeyDown={press}
      onScroll={picture.drawSoon}
      onFocus={() => at < 0 && count > 0 && moveTo(0)}
    >
      <div class="heat-size" style={{ height: `${Math.max(layout.height, 1)}px` }}>
        <canvas
          ref={picture.canvas}
          class="heat-canvas"
          aria-hidden="true"
          style={{ width: `${width}px`, height: `${height}px` }}
          onPointerMove={(event) => {
            const cell = under(event);
            if (cell >= 0 && cell !== at) moveTo(cell);
          }}
          onClick={(event) => open(map, under(event))}
        />
      </div>
    </div>
  );
}

export function HeatMap(props: { map: FleetMap | undefined; by: HeatName }): JSX.Element {
  const { map, by } = props;
  const [at, setAt] = useState(-1);
  const mine = map?.field === by ? map : undefined;
  return (
    <section class="heat">
      <div class="bar">
        <label>
          {words.by}{" "}
          <select
            value={by}
            onChange={(event) => setParams({ color: event.currentTarget.value }, "push")}
          >
            {HEATS.map((one) => (
              <option key={one} value={one}>
                {words[one]}
              </option>
            ))}
          </select>
        </label>
        {mine && <Legend map={mine} />}
      </div>
      {mine === undefined ? (
        <p class="loading">{text.loading}</p>
      ) : (
        <>
          <p id="heat-now" class="heat-now" aria-live="polite">
            {at >= 0 && at < mine.values.length ? (
              <Link to={linkOf(mine, at)} tabIndex={-1}>
                {cellText(mine, at)}
              </Link>
            ) : (
              words.none
            )}
          </p>
          <Cells map={mine} by={by} tell={setAt} />
          <details
            class="heat-same"
            open={param("open") === "values"}
            onToggle={(event) => setParams({ open: event.currentTarget.open ? "values" : null })}
          >
            <summary>{words.alternative}</summary>
            {param("open") === "values" && <NodeTable map={mine} />}
          </details>
        </>
      )}
    </section>
  );
}
