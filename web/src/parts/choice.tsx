// One of a few, kept in the URL: what a table is by, which part of a view is shown. They are links,
// so each can be sent and opened beside.
import type { ComponentChildren, JSX } from "preact";
import { here, param } from "../state/place.ts";
import "../style/lists.css";

export interface Option {
  readonly value: string;
  readonly label: ComponentChildren;
}

// The first option is what is shown without the parameter.
export function chosen(name: string, options: readonly Option[]): string {
  const value = param(name);
  return options.some((one) => one.value === value) ? (value ?? "") : (options[0]?.value ?? "");
}

// `value`: what is shown now, where that is not the first option for want of a parameter. `drop`:
// parameters that say nothing of another choice.
export function Choice(props: {
  name: string;
  label: string;
  options: readonly Option[];
  value?: string;
  drop?: readonly string[];
}): JSX.Element {
  const now = props.value ?? chosen(props.name, props.options);
  const usual = props.value === undefined ? props.options[0]?.value : undefined;
  const dropped = Object.fromEntries((props.drop ?? []).map((name) => [name, null]));
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.options.map(({ value, label }) => (
        <a
          key={value}
          href={here({ ...dropped, [props.name]: value === usual ? null : value })}
          aria-current={value === now ? "true" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}
