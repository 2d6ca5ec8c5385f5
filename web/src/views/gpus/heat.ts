// Where the cells of the heat map are and what colour they have.
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly steps: number;
  readonly unit: string;
}

export const SCALES: Record<string, Scale> = {
  utilization: { low: 0, high: 100, steps: 10, unit: "%" },
  memory_used_percent: { low: 0, high: 100, steps: 10, unit: "%" },
  temperature: { low: 20, high: 100, steps: 8, unit: "°C" },
};
const COLORS = 10; // --heat-0 to --heat-9

// The ramp's colours, from one end to the other.
export function rampOf(scale: Scale): string[] {
  const far = (COLORS - 1) / (scale.steps - 1);
  return Array.from({ length: scale.steps }, (_, step) => `heat-${Math.round(step * far)}`);
}

// Which of the ramp's colours; -1: unknown.
export function stepOf(value: number, scale: Scale): number {
  if (Number.isNaN(value)) return -1;
  const share = (value - scale.low) / (scale.high - scale.low);
  return Math.max(0, Math.min(scale.steps - 1, Math.floor(share * scale.steps)));
}

export function boundsOf(step: number, scale: Scale): [number, number] {
  const width = (scale.high - scale.low) / scale.steps;
  return [scale.low + step * width, scale.low + (step + 1) * width];
}

export interface Size {
  readonly cell: number; // width
  readonly line: number; // height
  readonly across: number; // cells of a node side by side
  readonly label: number; // height of a node's name
  readonly gap: number;
}

// Few GPUs have room for their values.
export function sizeOf(count: number): Size {
  return count <= 2000
    ? { cell: 34, line: 24, across: 8, label: 17, gap: 14 }
    : { cell: 15, line: 15, across: 8, label: 15, gap: 10 };
}

export interface Block {
  readonly x: number;
  readonly y: number;
  readonly first: number; // cell
  readonly count: number;
}

export interface Layout {
  readonly blocks: readonly Block[];
  readonly width: number; // of a block
  readonly height: number; // of all
}

// Nodes one after another in lines as high as their highest.
export function layoutOf(
  starts: readonly number[],
  count: number,
  width: number,
  size: Size,
): Layout {
  const block = size.across * size.cell + size.gap;
  const columns = Math.max(1, Math.floor((width + size.gap) / block));
  const blocks: Block[] = [];
  let y = 0;
  for (let i = 0; i < starts.length; i += columns) {
    let most = 0;
    for (let j = i; j < Math.min(i + columns, starts.length); j += 1) {
      const first = starts[j] ?? 0;
      const cells = (starts[j + 1] ?? count) - first;
      most = Math.max(most, Math.ceil(cells / size.across));
      blocks.push({ x: (j - i) * block, y, first, count: cells });
    }
    y += size.label + most * size.line + size.gap;
  }
  return { blocks, width: block, height: y };
}

// The block that has the cell.
export function blockOf(layout: Layout, cell: number): number {
  let low = 0;
  let high = layout.blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((layout.blocks[middle]?.first ?? 0) <= cell) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function cellAt(layout: Layout, size: Size, x: number, y: number): number {
  for (const block of layout.blocks) {
    if (block.y > y) break;
    const column = Math.floor((x - block.x) / size.cell);
    const line = Math.floor((y - block.y - size.label) / size.line);
    if (column < 0 || column >= size.across || line < 0) continue;
    const cell = line * size.across + column;
    if (cell < block.count) return block.first + cell;
  }
  return -1;
}

export function placeOf(layout: Layout, size: Size, cell: number): { x: number; y: number } {
  const block = layout.blocks[blockOf(layout, cell)];
  if (block === undefined) return { x: 0, y: 0 };
  const within = cell - block.first;
  return {
    x: block.x + (within % size.across) * size.cell,
    y: block.y + size.label + Math.floor(within / size.across) * size.line,
  };
}

// Where an arrow leads: along the order, or to the cell that is nearest above or below.
export function stepTo(layout: Layout, size: Size, cell: number, key: string, count: number) {
  if (key === "ArrowRight") return Math.min(count - 1, cell + 1);
  if (key === "ArrowLeft") return Math.max(0, cell - 1);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const down = key === "ArrowDown" ? 1 : -1;
  const { x, y } = placeOf(layout, size, Math.max(0, cell));
  const farthest = size.label + size.gap + 4 * size.line;
  for (let far = size.line; far <= farthest + size.line; far += size.line / 2) {
    const found = cellAt(layout, size, x + size.cell / 2, y + size.line / 2 + down * far);
    if (found >= 0 && found !== cell) return found;
  }
  return cell;
}
