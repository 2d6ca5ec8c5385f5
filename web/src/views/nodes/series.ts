// Rows of /api/v1/gpu/history as lines of a chart.
import type { Meta } from "../../api/client.ts";

// Unix seconds at which the steps begin.
export function stepTimes(meta: Meta, count: number): number[] {
  const start = Date.parse(meta.window?.start ?? "") / 1000;
  const step = meta.window?.step_seconds ?? 0;
  if (Number.isNaN(start) || step <= 0) return [];
  return Array.from({ length: count }, (_, i) => start + i * step);
}

// At how many steps some GPUs are known, but not all.
export function incomplete(known: readonly (number | null)[], gpus: number): number {
  return known.filter((one) => one !== null && one > 0 && one < gpus).length;
}

// The last minute of samples a second apart, the newest last.
export function lastSeconds(end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => end - (count - 1 - i));
}
