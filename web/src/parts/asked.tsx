// What stands in a view's place while its answer is on its way, or when there is none.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Asked } from "../api/query.ts";
import { text } from "../text/en.ts";
import { byMatter } from "./warning.ts";

// `children` is called with the data once there is any. That there was nothing does not say that
// there is nothing while nobody answers.
export function Shown<T>(props: {
  of: Asked<T>;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { of } = props;
  const none = Array.isArray(of.data) && of.data.length === 0;
  if (of.data !== undefined && !(none && of.error !== undefined)) {
    return (
      <>
        <Warnings of={of.warnings} />
        {props.children(of.data)}
      </>
    );
  }
  if (of.error === undefined) return <p class="loading">{text.loading}</p>;
  return (
    <div class="failed" role="alert">
      <h2>{text.failed.title}</h2>
      <p>{of.error.message}</p>
      <button type="button" onClick={of.again}>
        {text.failed.again}
      </button>
    </div>
  );
}

// Which part of the view says a warning: several answers have the same, one part says it.
const speakers = signal<ReadonlyMap<string, readonly object[]>>(new Map());

function speak(warnings: readonly string[], who: object): () => void {
  const change = (of: (all: readonly object[]) => readonly object[]) => {
    const next = new Map(speakers.value);
    for (const one of warnings) next.set(one, of(next.get(one) ?? []));
    speakers.value = next;
  };
  change((all) => [...all, who]);
  return () => change((all) => all.filter((one) => one !== who));
}

export function Warnings(props: { of: readonly string[] }): JSX.Element | null {
  const me = useRef({}).current;
  const said = byMatter(props.of);
  const matters = [...said.keys()];
  useLayoutEffect(() => speak(matters, me), [matters.join("\n")]);
  const mine = matters.filter((one) => (speakers.value.get(one)?.[0] ?? me) === me);
  if (mine.length === 0) return null;
  return (
    <ul class="warnings">
      {mine.map((one) => (
        <li key={one}>{said.get(one)}</li>
      ))}
    </ul>
  );
}
