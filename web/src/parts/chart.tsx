// Values over time, drawn by uPlot. Null is a gap, never a line to 0.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../state/prefs.ts";
import { alone, joined } from "./gaps.ts";

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly color?: string; // the name of a custom property: "--line-1"
  readonly faint?: boolean;
}

function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
}

const POWERS = Array.from({ length: 60 }, (_, i) => 2 ** i);

function optionsOf(props: ChartProps, width: number): uPlot.Options {
  const axis = {
    stroke: colorOf("--text-2"),
    grid: { stroke: colorOf("--line"), width: 1 },
    ticks: { show: false },
  };
  const format = props.format;
  return {
    width,
    height: props.height ?? 180,
    cursor: { drag: { x: false, y: false }, y: false },
    legend: { live: true },
    scales: {
      y: {
        range: (_, low, high) => [
          props.least ?? Math.min(0, low),
          props.most ?? (high > 0 ? high * 1.05 : 1),
        ],
      },
    },
    axes: [
      { ...axis, space: 64 },
      {
        ...axis,
        size: 62,
        values: (_, ticks) => ticks.map(format),
        ...(props.binary ? { incrs: POWERS } : {}),
      },
    ],
    series: [
      {},
      ...props.lines.map((line, i) => ({
        label: line.label,
        stroke: colorOf(line.color ?? `--line-${(i % 6) + 1}`),
        width: line.faint ? 1 : 2,
        ...(line.faint ? { dash: [4, 4] } : {}),
        spanGaps: false,
        points: { show: false, size: 4, filter: (plot: uPlot, at: number) => alone(plot.data[at]) },
        value: (_: uPlot, value?: number | null) => (value == null ? "–" : format(value)),
      })),
    ],
  };
}

export interface ChartProps {
  readonly title: string;
  readonly times: readonly number[]; // Unix seconds
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly least?: number;
  readonly most?: number;
  readonly height?: number;
  readonly binary?: boolean; // bytes: its steps are powers of 2
}

export function Chart(props: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colors = theme.value;
  const shape = props.lines.map((line) => line.label + (line.color ?? "")).join("\n") + colors;
  const data = (): uPlot.AlignedData => [
    [...props.times],
    ...props.lines.map((line) => joined(line.values)),
  ];

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(props, Math.max(200, element.clientWidth)),
        data(),
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() => {
      const height = props.height ?? 180;
      plot.current?.setSize({ width: Math.max(200, element.clientWidth), height });
    });
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(data()), [props.times, props.lines]);

  const summary = props.lines.map((line) => {
    const last = line.values.findLast((value) => value !== null);
    return `${line.label}: ${last === null || last === undefined ? "–" : props.format(last)}`;
  });
  return (
    <figure class="chart" aria-label={`${props.title}. ${summary.join(", ")}`} role="img">
      <figcaption aria-hidden="true">{props.title}</figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}
