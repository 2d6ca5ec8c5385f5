// GPU time by what became of it. The parts add up to the whole; so do the numbers that are shown.
export const ACCOUNTS = ["busy", "idle_held", "free", "unhealthy", "unknown"] as const;
export type Account = (typeof ACCOUNTS)[number];

export interface Seconds {
  readonly total_seconds?: number | null;
  readonly busy_seconds?: number | null;
  readonly idle_held_seconds?: number | null;
  readonly free_seconds?: number | null;
  readonly unhealthy_seconds?: number | null;
  readonly unknown_seconds?: number | null;
}

export function secondsOf(row: Seconds, account: Account): number {
  return row[`${account}_seconds`] ?? 0;
}

// Rounded to `digits` so that they add up to their rounded sum: what was cut off most is rounded up.
export function roundedParts(values: readonly number[], digits: number): number[] {
  const scale = 10 ** digits;
  const scaled = values.map((value) => value * scale);
  const floors = scaled.map((value) => Math.floor(value + 1e-9));
  const whole = Math.round(scaled.reduce((sum, value) => sum + value, 0));
  let missing = whole - floors.reduce((sum, value) => sum + value, 0);
  const order = scaled
    .map((value, i) => ({ i, cut: value - (floors[i] ?? 0) }))
    .sort((a, b) => b.cut - a.cut);
  for (const { i } of order) {
    if (missing <= 0) break;
    floors[i] = (floors[i] ?? 0) + 1;
    missing -= 1;
  }
  return floors.map((value) => value / scale);
}

export interface Sheet {
  readonly parts: readonly { readonly account: Account; readonly hours: number }[];
  readonly whole: number;
  readonly exact: boolean; // the API's parts add up to its total
}

const MILLISECOND = 0.001;

export function sheetOf(row: Seconds, digits = 1): Sheet {
  const seconds = ACCOUNTS.map((account) => secondsOf(row, account));
  const sum = seconds.reduce((all, one) => all + one, 0);
  const hours = roundedParts(
    seconds.map((one) => one / 3600),
    digits,
  );
  const scale = 10 ** digits;
  return {
    parts: ACCOUNTS.map((account, i) => ({ account, hours: hours[i] ?? 0 })),
    whole: Math.round((sum / 3600) * scale) / scale,
    exact: Math.abs(sum - (row.total_seconds ?? NaN)) < MILLISECOND,
  };
}
