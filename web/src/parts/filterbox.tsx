// A box for filters. What is typed is in the URL as soon as it is right; what is wrong is said.
import type { JSX } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { place, setParams } from "../state/place.ts";
import "../style/filter.css";
import { filterText } from "../text/en/filter.ts";
import {
  completions,
  filterNames,
  type FilterNames,
  type FilterProblem,
  filtersOf,
  formatFilters,
  nearest,
  parseFilters,
} from "./filtertext.ts";

const SETTLED = 300; // milliseconds without a key

function problemText(problem: FilterProblem): string {
  if (problem.kind === "name") return filterText.noName(problem.name, problem.near);
  if (problem.kind === "number") return filterText.noNumber(problem.name, problem.value);
  return filterText.noValue(problem.name);
}

// What is typed so far, and how it gets into the URL. `also` goes into it with the filters.
function useFilterText(names: FilterNames, also: Record<string, string | null>) {
  const inUrl = filtersOf(place.value.params, names);
  const fromUrl = formatFilters(inUrl.params, inUrl.words);
  const [text, setText] = useState(fromUrl);
  const written = useRef(fromUrl);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // A step back, or a link: the box says what is looked at.
  useEffect(() => {
    if (fromUrl === written.current) return;
    written.current = fromUrl;
    setText(fromUrl);
  }, [fromUrl]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (typed: string) => {
    clearTimeout(timer.current);
    const { params, words } = parseFilters(typed, names);
    written.current = formatFilters(params, words);
    const gone = Object.fromEntries(filterNames(names).map((name) => [name, null]));
    const q = words.length > 0 ? formatFilters({}, words) : null;
    setParams({ ...gone, ...params, q, ...also });
  };
  const type = (typed: string, at_once: boolean) => {
    setText(typed);
    clearTimeout(timer.current);
    if (at_once) apply(typed);
    else timer.current = setTimeout(() => apply(typed), SETTLED);
  };
  return { text, type };
}

function useCompletion(
  names: FilterNames,
  text: string,
  input: { current: HTMLInputElement | null },
  type: (text: string, at_once: boolean) => void,
) {
  const [caret, setCaret] = useState<number | null>(null); // null: closed
  const [at, setAt] = useState(-1);
  const found = useMemo(
    () => (caret === null ? null : completions(text, caret, names)),
    [caret, text, names],
  );
  const options = (found?.names ?? []).slice(0, 12);
  const choose = (name: string) => {
    if (found === null) return;
    const before = text.slice(0, found.start) + name + "=";
    type(before + text.slice(found.end), false);
    const { length } = before;
    requestAnimationFrame(() => input.current?.setSelectionRange(length, length));
    setCaret(null);
    setAt(-1);
  };
  const key = (event: KeyboardEvent): boolean => {
    if (options.length === 0) return false;
    if (event.key === "ArrowDown") setAt((at + 1) % options.length);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? options.length - 1 : at - 1);
    else if (event.key === "Escape") setCaret(null);
    else if (event.key === "Tab" && at >= 0) choose(options[at] ?? "");
    else if (event.key === "Enter" && at >= 0) choose(options[at] ?? "");
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { options, at, choose, key, setCaret, setAt };
}

// What is wrong with the text, and with the URL.
function problemsOf(text: string, names: FilterNames, others: readonly string[]): string[] {
  const known = new Set([...filterNames(names), ...others, "q"]);
  const strange = [...new Set(place.value.params.keys())].filter((name) => !known.has(name));
  return [
    ...parseFilters(text, names).problems.map(problemText),
    ...strange.map((name) => filterText.noName(name, nearest(name, [...known]))),
  ];
}

type Completion = ReturnType<typeof useCompletion>;

function Names(props: { id: string; of: Completion }): JSX.Element {
  const { options, at, choose } = props.of;
  return (
    <ul
      id={`${props.id}-names`}
      role="listbox"
      aria-label={filterText.names}
      hidden={options.length === 0}
    >
      {options.map((name, i) => (
        <li
          key={name}
          id={`${props.id}-${i}`}
          role="option"
          aria-selected={i === at}
          onMouseDown={(event) => {
            event.preventDefault();
            choose(name);
          }}
        >
          {name}
        </li>
      ))}
    </ul>
  );
}

export function FilterBox(props: {
  names: FilterNames;
  also?: Record<string, string | null>; // goes into the URL with each change
  known: readonly string[]; // other parameters of this view
  help?: string;
  placeholder?: string;
}): JSX.Element {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const { text, type } = useFilterText(props.names, props.also ?? {});
  const complete = useCompletion(props.names, text, input, type);
  const problems = problemsOf(text, props.names, props.known);
  const { options, at } = complete;
  return (
    <div class="filter-box" role="search">
      <label for={id}>{filterText.label}</label>
      <div class="filter-field">
        <input
          id={id}
          ref={input}
          data-filter
          type="text"
          role="combobox"
          autocomplete="off"
          spellcheck={false}
          placeholder={props.placeholder ?? filterText.placeholder}
          title={props.help}
          value={text}
          aria-autocomplete="list"
          aria-expanded={options.length > 0}
          aria-controls={`${id}-names`}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-invalid={problems.length > 0}
          aria-describedby={`${id}-problems`}
          onInput={(event) => {
            type(event.currentTarget.value, false);
            complete.setCaret(event.currentTarget.selectionStart);
            complete.setAt(-1);
          }}
          onKeyDown={(event) => {
            if (complete.key(event)) return;
            if (event.key === "Enter") type(event.currentTarget.value, true);
            else if (event.key === "ArrowDown")
              complete.setCaret(event.currentTarget.selectionStart);
          }}
          onBlur={() => complete.setCaret(null)}
        />
        <Names id={id} of={complete} />
      </div>
      {text !== "" && (
        <button type="button" onClick={() => type("", true)}>
          {filterText.clear}
        </button>
      )}
      <p id={`${id}-problems`} class="filter-problems" aria-live="polite">
        {problems.join(" ")}
      </p>
    </div>
  );
}
