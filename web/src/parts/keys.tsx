// The keyboard: everything that the mouse can do.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { go } from "../state/place.ts";
import { paused } from "../state/prefs.ts";
import { text } from "../text/en.ts";
import { focusContent, useDialog, useFocusKept } from "./dialog.ts";

// "g" and then one of these.
export const LETTERS: Record<string, string> = {
  o: "overview",
  n: "nodes",
  g: "gpus",
  p: "processes",
  w: "workloads",
  u: "users",
  i: "idle",
  h: "health",
  e: "events",
  t: "tasks",
  v: "vps",
  a: "api",
};

function types(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]")
  );
}

function tellRows(what: "up" | "down" | "open"): void {
  document.dispatchEvent(new CustomEvent("gpumon-row", { detail: what }));
}

export function Keys(): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const box = useDialog(open);
  useFocusKept();
  useEffect(() => {
    let afterG = false;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") {
        setOpen(false);
        const asked = (event.target as Element).closest?.("[role=dialog]");
        if (types(event.target) && !asked) focusContent("main [role=table]");
        return;
      }
      if (types(event.target)) return;
      const letter = afterG ? LETTERS[event.key] : undefined;
      afterG = !afterG && event.key === "g";
      if (letter !== undefined) return go([letter]);
      if (afterG) return;
      const onControl =
        event.target instanceof Element && event.target.closest("a, button, summary") !== null;
      if (event.key === "j") tellRows("down");
      else if (event.key === "k") tellRows("up");
      else if (event.key === "Enter" && !onControl) tellRows("open");
      else if (event.key === "p") paused.value = !paused.value;
      else if (event.key === "?") setOpen(true);
      else if (event.key === "/") document.querySelector<HTMLElement>("[data-filter]")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  if (!open) return null;
  return (
    <div ref={box} class="dialog" role="dialog" aria-modal="true" aria-label={text.keys.title}>
      <h2>{text.keys.title}</h2>
      <dl>
        {text.keys.rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => setOpen(false)}>
        {text.keys.close}
      </button>
    </div>
  );
}
