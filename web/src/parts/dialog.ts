// Where the focus is: within a dialog as long as it is open, and never nowhere.
import { useEffect, useRef } from "preact/hooks";
import { place } from "../state/place.ts";

export function focusContent(what = "#content"): void {
  const found = document.querySelector<HTMLElement>(what) ?? document.getElementById("content");
  found?.focus({ preventScroll: true });
}

// Tab stays in it; whoever had the focus before gets it back.
export function useDialog(open: boolean): { current: HTMLDivElement | null } {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!open || element === null) return undefined;
    const before = document.activeElement;
    const stops = () => [...element.querySelectorAll<HTMLElement>("a[href], button, input")];
    stops()[0]?.focus();
    const tab = (event: KeyboardEvent) => {
      if (event.key !== "Tab") return;
      const all = stops();
      const at = all.findIndex((one) => one === document.activeElement);
      all[(at + (event.shiftKey ? all.length - 1 : 1)) % all.length]?.focus();
      event.preventDefault();
    };
    document.addEventListener("keydown", tab);
    return () => {
      document.removeEventListener("keydown", tab);
      const there = before instanceof HTMLElement && before !== document.body && before.isConnected;
      if (there) before.focus();
      else focusContent();
    };
  }, [open]);
  return box;
}

// What had the focus may be gone with the view, or the panel, that it was in.
export function useFocusKept(): void {
  const last = useRef<EventTarget | null>(null);
  useEffect(() => {
    const remember = (event: FocusEvent) => {
      last.current = event.target;
    };
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, []);
  useEffect(() => {
    const gone = last.current instanceof Element && !last.current.isConnected;
    if (gone && document.activeElement === document.body) focusContent();
  }, [place.value]);
}
