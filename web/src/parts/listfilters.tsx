// The API's filters, with their names in the URL: a link says what the API is asked.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Params } from "../api/client.ts";
import { place, setParams } from "../state/place.ts";
import { text } from "../text/en.ts";
import "../style/lists.css";

export interface Filter {
  readonly name: string;
  readonly label: string;
  readonly options?: readonly (readonly [value: string, label: string])[];
  readonly usual?: string; // what holds without it; "any" where it says nothing
}

const TYPED = 400; // milliseconds without a key until it is asked for

// What the URL has of these, and every bound of a number.
export function filterParams(names: readonly string[]): Params {
  const result: Record<string, readonly string[]> = {};
  for (const name of new Set(place.value.params.keys())) {
    if (!names.includes(name) && !/^(min|max)_/.test(name)) continue;
    const values = place.value.params.getAll(name).filter((value) => value !== "");
    if (values.length > 0) result[name] = values;
  }
  return result;
}

function Typed(props: { name: string; value: string; label: string }): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // What is typed and not yet in the URL: an answer that comes meanwhile does not take it away.
  const [typed, setTyped] = useState<string | null>(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (value: string) => {
    clearTimeout(timer.current);
    setTyped(null);
    setParams({ [props.name]: value.trim() || null });
  };
  return (
    <input
      type="search"
      data-filter
      value={typed ?? props.value}
      placeholder={text.list.pattern}
      aria-label={props.label}
      onInput={(event) => {
        const { value } = event.currentTarget;
        setTyped(value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => tell(value), TYPED);
      }}
      onChange={(event) => tell(event.currentTarget.value)}
    />
  );
}

export function Filters(props: { of: readonly Filter[] }): JSX.Element {
  const names = props.of.map((one) => one.name);
  const set = Object.keys(filterParams(names));
  const others = set.filter((name) => !names.includes(name));
  return (
    <form
      class="list-filters"
      role="search"
      aria-label={text.list.filters}
      onSubmit={(event) => event.preventDefault()}
    >
      {props.of.map(({ name, label, options, usual }) => {
        const values = place.value.params.getAll(name);
        if (options === undefined) {
          return (
            <label key={name}>
              <span>{label}</span>
              <Typed name={name} label={label} value={values.join(" ")} />
            </label>
          );
        }
        const value = values[0] ?? "";
        const known = value === "" || options.some(([one]) => one === value);
        return (
          <label key={name}>
            <span>{label}</span>
            <select
              value={value}
              onChange={(event) => setParams({ [name]: event.currentTarget.value || null })}
            >
              <option value="">{usual ?? text.list.any}</option>
              {!known && <option value={value}>{value}</option>}
              {options.map(([one, words]) => (
                <option key={one} value={one}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        );
      })}
      {others.map((name) => (
        <code key={name}>{`${name}=${place.value.params.getAll(name).join(",")}`}</code>
      ))}
      {set.length > 0 && (
        <button
          type="button"
          onClick={() => setParams(Object.fromEntries(set.map((name) => [name, null])))}
        >
          {text.list.clear}
        </button>
      )}
    </form>
  );
}
