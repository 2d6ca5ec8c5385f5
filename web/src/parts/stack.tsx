// Parts of a whole side by side, with their numbers below.
import type { JSX } from "preact";

export interface Part {
  readonly key: string; // of a state: its colour
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly href?: string;
}

export function Stack(props: { parts: readonly Part[]; title: string }): JSX.Element {
  const whole = props.parts.reduce((sum, part) => sum + part.value, 0);
  let at = 0;
  return (
    <figure class="stack">
      <svg viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label={props.title}>
        <rect class="part part-empty" width="1000" height="24" />
        {whole > 0 &&
          props.parts.map((part) => {
            const width = (1000 * part.value) / whole;
            const x = at;
            at += width;
            return (
              <rect
                key={part.key}
                class={`part part-${part.key}`}
                x={x}
                width={width}
                height="24"
              />
            );
          })}
      </svg>
      <figcaption>
        {props.parts.map((part) => (
          <span key={part.key} class="stack-label">
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <rect class={`part part-${part.key}`} width="10" height="10" />
            </svg>
            {part.href === undefined ? part.label : <a href={part.href}>{part.label}</a>}{" "}
            <b>{part.text}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
