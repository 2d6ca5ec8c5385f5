// The filters of a list. What is chosen is in the URL, by the API's names: a link says what the API
// is asked.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { filterParams, namedParams, setFilter } from "../state/filters.ts";
import { place, setParams } from "../state/place.ts";
import { words } from "../text/en/filters.ts";
import "../style/filters.css";

export interface Filter {
  readonly name: string;
  readonly label: string;
  // Without them any text is taken.
  readonly options?: readonly (readonly [value: string, label: string])[];
  readonly usual?: string; // what holds without it; "all" where it says nothing
  readonly hints?: readonly string[];
}

const TYPED = 350; // milliseconds after the last key

function given(name: string): string {
  return place.value.params.getAll(name).join(", ");
}

function TextFilter(props: { filter: Filter; first: boolean }): JSX.Element {
  const { name, label, hints } = props.filter;
  // What is typed and not yet in the URL: an answer that comes meanwhile does not take it away.
  const [typed, setTyped] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const take = (value: string, left: boolean) => {
    clearTimeout(timer.current);
    setFilter(name, value);
    // "a, " stays as it is typed until more comes, or nothing.
    if (left || given(name) === value) setTyped(null);
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input
        type="search"
        value={typed ?? given(name)}
        placeholder={words.any}
        title={words.pattern}
        spellcheck={false}
        autocomplete="off"
        {...(hints ? { list: `hints-${name}` } : {})}
        {...(props.first ? { "data-filter": "" } : {})}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setTyped(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => take(value, false), TYPED);
        }}
        onChange={(event) => take(event.currentTarget.value, true)}
        onBlur={() => setTyped(null)}
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
  const { name, label, options = [], usual } = props.filter;
  const value = given(name);
  const known = value === "" || options.some(([one]) => one === value);
  return (
    <label class="filter">
      <span>{label}</span>
      <select
        value={value}
        {...(props.first ? { "data-filter": "" } : {})}
        onChange={(event) => setFilter(name, event.currentTarget.value)}
      >
        <option value="">{usual ?? words.all}</option>
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

// What holds by the URL alone: no box of this list has it.
function Others(props: { names: readonly string[] }): JSX.Element {
  return (
    <>
      {props.names.map((name) => {
        const said = `${name}=${given(name)}`;
        return (
          <button
            key={name}
            type="button"
            class="filter-other"
            title={words.drop(said)}
            aria-label={words.drop(said)}
            onClick={() => setParams({ [name]: null })}
          >
            <code>{said}</code> <span aria-hidden="true">✕</span>
          </button>
        );
      })}
    </>
  );
}

// `names`: all that this list can be asked with, where it is more than there are boxes; then it
// takes bounds too. `children`: what else can be chosen here.
export function Filters(props: {
  of: readonly Filter[];
  names?: readonly string[];
  children?: ComponentChildren;
}): JSX.Element {
  const boxes = props.of.map((one) => one.name);
  // "/" goes to where something can be typed.
  const first = Math.max(
    0,
    props.of.findIndex((one) => one.options === undefined),
  );
  const asked = props.names === undefined ? namedParams(boxes) : filterParams(props.names);
  const set = [...new Set([...Object.keys(namedParams(boxes)), ...Object.keys(asked)])];
  return (
    <form
      class="filters"
      role="search"
      aria-label={words.filters}
      onSubmit={(event) => event.preventDefault()}
    >
      {props.of.map((filter, i) =>
        filter.options ? (
          <ChoiceFilter key={filter.name} filter={filter} first={i === first} />
        ) : (
          <TextFilter key={filter.name} filter={filter} first={i === first} />
        ),
      )}
      <Others names={set.filter((name) => !boxes.includes(name))} />
      {set.length > 0 && (
        <button
          type="button"
          onClick={() => setParams(Object.fromEntries(set.map((name) => [name, null])))}
        >
          {words.clear}
        </button>
      )}
      {props.children}
    </form>
  );
}
