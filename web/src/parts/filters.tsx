// The filters of a list. What is chosen is in the URL, by the API's names.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { setFilter } from "../state/here.ts";
import { place, setParams } from "../state/place.ts";
import { words } from "../text/en/filters.ts";
import "../style/filters.css";

export interface Filter {
  readonly name: string;
  readonly label: string;
  // Without them any text is taken.
  readonly options?: readonly (readonly [string, string])[];
  readonly hints?: readonly string[];
}

const TYPED = 350; // milliseconds after the last key

function TextFilter(props: { filter: Filter; first: boolean }): JSX.Element {
  const { name, label, hints } = props.filter;
  const given = place.value.params.getAll(name).join(", ");
  const [typed, setTyped] = useState(given);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const busy = useRef(false);
  // The URL may change without a key: a link, a step back.
  useEffect(() => {
    if (!busy.current) setTyped(given);
  }, [given]);
  const take = (value: string) => {
    clearTimeout(timer.current);
    busy.current = false;
    setFilter(name, value);
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input
        type="search"
        value={typed}
        placeholder={words.any}
        title={words.pattern}
        spellcheck={false}
        autocomplete="off"
        {...(hints ? { list: `hints-${name}` } : {})}
        {...(props.first ? { "data-filter": "" } : {})}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setTyped(value);
          busy.current = true;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => take(value), TYPED);
        }}
        onChange={(event) => take(event.currentTarget.value)}
      />
      {hints && (
        <datalist id={`hints-${name}`}>
          {hints.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  );
}

function ChoiceFilter(props: { filter: Filter; first: boolean }): JSX.Element {
  const { name, label, options = [] } = props.filter;
  const value = place.value.params.getAll(name).join(", ");
  const known = value === "" || options.some(([one]) => one === value);
  return (
    <label class="filter">
      <span>{label}</span>
      <select
        value={value}
        {...(props.first ? { "data-filter": "" } : {})}
        onChange={(event) => setFilter(name, event.currentTarget.value)}
      >
        <option value="">{words.all}</option>
        {!known && <option value={value}>{value}</option>}
        {options.map(([one, title]) => (
          <option key={one} value={one}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

// `children`: what else can be chosen here.
export function Filters(props: {
  of: readonly Filter[];
  children?: ComponentChildren;
}): JSX.Element {
  const set = props.of.filter((one) => place.value.params.has(one.name));
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      {props.of.map((filter, i) =>
        filter.options ? (
          <ChoiceFilter key={filter.name} filter={filter} first={i === 0} />
        ) : (
          <TextFilter key={filter.name} filter={filter} first={i === 0} />
        ),
      )}
      {set.length > 0 && (
        <button
          type="button"
          onClick={() => setParams(Object.fromEntries(set.map((one) => [one.name, null])))}
        >
          {words.clear}
        </button>
      )}
      {props.children}
    </form>
  );
}

// One of a few, as links: what is chosen is in the URL. The first is what is there without it.
export function Choice(props: {
  name: string;
  label: string;
  options: readonly (readonly [string, string])[];
  value: string;
  patch?: Record<string, null>; // what goes away with another choice
}): JSX.Element {
  return (
    <span class="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, title]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => setParams({ ...props.patch, [props.name]: value }, "push")}
        >
          {title}
        </button>
      ))}
    </span>
  );
}
