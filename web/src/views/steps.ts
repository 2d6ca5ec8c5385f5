// The instants of a window's steps, and how well they are known.
export function stepTimes(
  window: { readonly start: string; readonly step_seconds: number } | undefined,
  count: number,
): number[] {
  if (window === undefined) return [];
  const start = Date.parse(window.start) / 1000;
  return Array.from({ length: count }, (_, i) => start + i * window.step_seconds);
}

// At how many of the steps fewer GPUs are known than at the best of them.
export function partlyKnown(known: readonly (number | null)[]) {
  const best = known.reduce<number>((most, one) => Math.max(most, one ?? 0), 0);
  return { steps: known.filter((one) => (one ?? 0) < best).length, all: known.length };
}
