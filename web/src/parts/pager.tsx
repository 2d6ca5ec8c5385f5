// From page to page of what the server cuts.
import type { JSX } from "preact";
import { param, setParams } from "../state/place.ts";
import { gpusText } from "../text/en/gpus.ts";

const words = gpusText.pages;

export function offsetOf(): number {
  const offset = Number(param("offset") ?? "0");
  return Number.isInteger(offset) && offset > 0 ? offset : 0;
}

export function Pager(props: { size: number; total: number }): JSX.Element | null {
  const offset = offsetOf();
  if (props.total <= props.size && offset === 0) return null;
  const go = (to: number) => setParams({ offset: to > 0 ? String(to) : null }, "push");
  const last = Math.min(props.total, offset + props.size);
  return (
    <nav class="pager" aria-label={words.label}>
      <button type="button" disabled={offset === 0} onClick={() => go(offset - props.size)}>
        {words.before}
      </button>
      <span>{words.of(Math.min(offset + 1, last), last, props.total)}</span>
      <button type="button" disabled={last >= props.total} onClick={() => go(offset + props.size)}>
        {words.next}
      </button>
    </nav>
  );
}
