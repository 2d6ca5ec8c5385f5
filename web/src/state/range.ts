// What time is looked at: now and the hours before it, or an instant of the past.
import { computed } from "@preact/signals";
import { place } from "./place.ts";

export const WINDOWS = ["1h", "6h", "24h", "7d", "30d"] as const;
export const USUAL_WINDOW = "24h";

export interface Range {
  readonly window: string; // "6h"
  readonly at: string | null; // as written in the URL: RFC 3339 or Unix seconds; null: now
}

export const range = computed<Range>(() => ({
  window: place.value.params.get("window") ?? USUAL_WINDOW,
  at: place.value.params.get("at"),
}));

// For routes that look at a window.
export function windowParams(): Record<string, string> {
  const { window, at } = range.value;
  return at === null ? { window } : { window, at };
}

// For routes that look at an instant.
export function instantParams(): Record<string, string> {
  const { at } = range.value;
  return at === null ? {} : { at };
}
