// Draws the cells of the heat map that can be seen.
import type { FleetMap } from "../../fleet/store.ts";
import { number } from "../../parts/format.ts";
import { type Layout, placeOf, rampOf, SCALES, type Size, stepOf } from "./heat.ts";

export const LEVELS = ["healthy", "degraded", "critical"] as const;
const LEVEL_COLORS = ["--busy", "--idle", "--bad"];
const LEVEL_SIGNS = ["●", "▲", "✖"];

export interface Ink {
  readonly fill: readonly string[]; // of each step or level
  readonly on: readonly string[]; // what can be read on it
  readonly text: string;
  readonly back: string;
  readonly unknown: string;
  readonly focus: string;
}

// "#rrggbb": black or white, whichever can be read.
function readable(color: string): string {
  const parts = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255);
  const [r, g, b] = parts.map((c) => (c <= 0.04 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0) > 0.18 ? "#000000" : "#ffffff";
}

export function inkOf(field: string): Ink {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim() || "#888888";
  const scale = SCALES[field];
  const names = scale ? rampOf(scale).map((name) => "--" + name) : LEVEL_COLORS;
  const fill = names.map(color);
  return {
    fill,
    on: fill.map(readable),
    text: color("--text"),
    back: color("--back"),
    unknown: color("--unknown"),
    focus: color("--focus"),
  };
}

export function valueText(map: FleetMap, cell: number): string | null {
  const value = map.values[cell];
  if (value === undefined || Number.isNaN(value)) return null;
  if (map.field === "health") return LEVELS[value] ?? null;
  return `${number(value)} ${SCALES[map.field]?.unit ?? ""}`;
}

export interface Picture {
  readonly map: FleetMap;
  readonly layout: Layout;
  readonly size: Size;
  readonly top: number; // scrolled to
  readonly width: number;
  readonly height: number;
  readonly at: number; // the cell that somebody is at; -1: none
}

function hatch(context: CanvasRenderingContext2D, x: number, y: number, w: number, h: number) {
  context.beginPath();
  for (let far = 4; far < w + h; far += 5) {
    context.moveTo(x + Math.min(far, w), y + Math.max(0, far - w));
    context.lineTo(x + Math.max(0, far - h), y + Math.min(far, h));
  }
  context.stroke();
}

function paintCell(
  context: CanvasRenderingContext2D,
  picture: Picture,
  ink: Ink,
  cell: number,
  x: number,
  y: number,
): void {
  const { map, size } = picture;
  const value = map.values[cell] ?? NaN;
  const w = size.cell - 2;
  const h = size.line - 2;
  const scale = SCALES[map.field];
  const step = scale ? stepOf(value, scale) : Number.isNaN(value) ? -1 : value;
  if (step < 0) {
    context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
    hatch(context, x, y, w, h);
    return;
  }
  context.fillStyle = ink.fill[step] ?? ink.unknown;
  context.fillRect(x, y, w, h);
  const words = scale ? (size.cell > 24 ? number(value, 0) : "") : (LEVEL_SIGNS[value] ?? "");
  if (words === "") return;
  context.fillStyle = ink.on[step] ?? ink.text;
  context.fillText(words, x + w / 2, y + h / 2 + 1);
}

export function paint(context: CanvasRenderingContext2D, picture: Picture, ink: Ink): void {
  const { map, layout, size, top, height, at } = picture;
  context.clearRect(0, 0, picture.width, height);
  context.lineWidth = 1;
  context.strokeStyle = ink.unknown;
  context.textBaseline = "middle";
  layout.blocks.forEach((block, node) => {
    const lines = Math.ceil(block.count / size.across);
    const end = block.y + size.label + lines * size.line;
    if (end < top || block.y > top + height) return;
    const y = block.y - top;
    context.font = `${size.label > 15 ? 12 : 11}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.fillStyle = ink.text;
    context.fillText(
      nameFor(context, map.nodes[node] ?? "", layout.width - size.gap),
      block.x,
      y + 7,
    );
    context.font = `${size.cell > 24 ? 12 : 10}px system-ui, sans-serif`;
    context.textAlign = "center";
    for (let i = 0; i < block.count; i += 1) {
      const x = block.x + (i % size.across) * size.cell;
      const line = Math.floor(i / size.across);
      paintCell(context, picture, ink, block.first + i, x, y + size.label + line * size.line);
    }
  });
  if (at < 0 || at >= map.values.length) return;
  const { x, y } = placeOf(layout, size, at);
  context.lineWidth = 4;
  context.strokeStyle = ink.back;
  context.strokeRect(x + 1, y - top + 1, size.cell - 4, size.line - 4);
  context.lineWidth = 2;
  context.strokeStyle = ink.text;
  context.strokeRect(x + 1, y - top + 1, size.cell - 4, size.line - 4);
}

// The end of a name tells nodes apart.
function nameFor(context: CanvasRenderingContext2D, name: string, width: number): string {
  if (context.measureText(name).width <= width) return name;
  let cut = name.length - 1;
  while (cut > 1 && context.measureText("…" + name.slice(-cut)).width > width) cut -= 1;
  return "…" + name.slice(-cut);
}
