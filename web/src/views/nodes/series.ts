// Rows of /api/v1/gpu/history as lines of a chart.
import type { Meta } from "../../api/client.ts";

// Unix seconds at which the steps begin.
export function stepTimes(meta: Meta, count: number): number[] {
  const start = Date.parse(meta.window?.start ?? "") / 1000;
  const step = meta.window?.step_seconds ?? 0;
  if (Number.isNaN(start) || step <= 0) return [];
  return Array.from({ length: count }, (_, i) => start + i * step);
}

// At how many steps fewer GPUs are known than at others, and how many these have.
export function incomplete(known: readonly (number | null)[]): { gaps: number; most: number } {
  const there = known.filter((one) => one !== null && one > 0) as number[];
  const most = there.reduce((a, b) => Math.max(a, b), 0);
  return { gaps: there.filter((one) => one < most).length, most };
}

// The last minute of samples a second apart, the newest last.
export function lastSeconds(end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => end - (count - 1 - i));
}
