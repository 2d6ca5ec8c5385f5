// What of that which was allocated is used.
export interface Held {
  readonly gpus_requested?: number | null;
  readonly gpus?: number | null;
  readonly gpu_share?: number | null;
  readonly utilization?: number | null;
}

// In %: its share of GPUs times their utilization, of the GPUs that it asked for. Null: one of them
// is not known, or it asked for none.
export function usedOfRequested(row: Held): number | null {
  const { gpu_share: share, utilization, gpus_requested: requested } = row;
  if (share == null || utilization == null || requested == null || requested === 0) return null;
  return (share * utilization) / requested;
}

export interface Sum {
  readonly sum: number | null; // null: no row tells
  readonly known: number; // rows that do
}

export function sumOf<Row>(rows: readonly Row[], of: (row: Row) => number | null | undefined): Sum {
  let sum = 0;
  let known = 0;
  for (const row of rows) {
    const value = of(row);
    if (value == null) continue;
    sum += value;
    known += 1;
  }
  return { sum: known === 0 ? null : sum, known };
}

// Over the rows that tell all of it.
export function usedOfAll(rows: readonly Held[]): Sum {
  const telling = rows.filter((row) => usedOfRequested(row) !== null);
  const requested = sumOf(telling, (row) => row.gpus_requested).sum;
  const used = sumOf(telling, (row) => ((row.gpu_share ?? 0) * (row.utilization ?? 0)) / 100).sum;
  return {
    sum: requested === null || used === null ? null : (100 * used) / requested,
    known: telling.length,
  };
}
