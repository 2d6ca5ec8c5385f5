// What is open beside a list: which it is stands in the URL. Escape closes it.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { setParams } from "../state/place.ts";
import { words } from "../text/en/filters.ts";
import "../style/filters.css";

export function Panel(props: {
  title: string;
  patch: Record<string, null>; // closes it
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where the list is above it, on narrow pages, it would be opened out of sight.
    box.current?.scrollIntoView({ block: "nearest" });
  }, [props.title]);
  return (
    <section
      ref={box}
      class="panel"
      aria-label={props.title}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !(event.target as Element).matches("input, select"))
          setParams(props.patch, "push");
      }}
    >
      <div class="panel-head">
        <h2>{props.title}</h2>
        <button type="button" onClick={() => setParams(props.patch, "push")}>
          {words.close}
        </button>
      </div>
      {props.children}
    </section>
  );
}
