// What was shown stays until the same in another order, or its next page, has come.
import { useRef } from "preact/hooks";
import type { Asked } from "../api/query.ts";

// `of`: what it is about; of something else nothing stays.
export function useKept<T>(asked: Asked<T>, of: string): Asked<T> {
  const last = useRef<{ of: string; asked: Asked<T> } | null>(null);
  if (asked.data !== undefined) last.current = { of, asked };
  return asked.waiting && last.current?.of === of ? last.current.asked : asked;
}
