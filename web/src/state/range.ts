// What time is looked at: now and the hours before it, an instant of the past and the hours before
// that, or from one instant to another.
import { computed } from "@preact/signals";
import { place } from "./place.ts";

export const WINDOWS = ["1h", "6h", "24h", "7d", "30d"] as const;
export const USUAL_WINDOW = "24h";

// Instants are as written in the URL: RFC 3339 or Unix seconds.
export interface Range {
  readonly window: string; // "6h"
  readonly at: string | null; // null: now
  readonly start: string | null; // null: `window` before the end
  readonly end: string | null; // null: at
}

export const range = computed<Range>(() => {
  const { params } = place.value;
  const start = params.get("start");
  return {
    window: params.get("window") ?? USUAL_WINDOW,
    at: params.get("at"),
    start,
    end: params.get("end"),
  };
});

// For routes that look at a window.
export function windowParams(): Record<string, string> {
  const { window, at, start, end } = range.value;
  const until = end ?? at;
  const from: Record<string, string> = start === null ? { window } : { start };
  return until === null ? from : { ...from, end: until };
}

// For routes that look at an instant.
export function instantParams(): Record<string, string> {
  const { at } = range.value;
  return at === null ? {} : { at };
}

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

// "6h" in seconds, as the API reads it; NaN: it is none.
export function windowSeconds(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d|w)?$/.exec(text);
  return match === null ? NaN : Number(match[1]) * (UNITS[match[2] ?? "s"] ?? NaN);
}

// An instant of the URL in Unix milliseconds; NaN: it is none.
export function instantMs(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

// From when to when, in Unix milliseconds, were it asked for at `now`. NaN where the URL is wrong.
export function rangeMs(of: Range, now: number): { readonly from: number; readonly to: number } {
  const until = of.end ?? of.at;
  const to = until === null ? now : instantMs(until);
  const from = of.start === null ? to - windowSeconds(of.window) * 1000 : instantMs(of.start);
  return { from, to };
}
