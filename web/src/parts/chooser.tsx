// Which columns a table has. The choice is in the URL.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { param, setParams } from "../state/place.ts";
import "../style/chooser.css";
import { gpusText } from "../text/en/gpus.ts";
import { type Field, helpOf, titleOf } from "./fields.ts";

const words = gpusText.list;

// The columns that the URL asks for; those that are none are left out.
export function chosenColumns(usual: readonly string[], fields: readonly Field[]): string[] {
  const text = param("columns");
  if (text === "all") return fields.map((field) => field.name);
  const asked = text?.split(",") ?? usual;
  const known = new Set(fields.map((field) => field.name));
  const chosen = [...new Set(asked)].filter((name) => known.has(name));
  return chosen.length > 0 ? chosen : usual.filter((name) => known.has(name));
}

function Choice(props: {
  field: Field;
  chosen: boolean;
  choose: (chosen: boolean) => void;
}): JSX.Element {
  const { field } = props;
  return (
    <label title={helpOf(field)}>
      <input
        type="checkbox"
        checked={props.chosen}
        onChange={(event) => props.choose(event.currentTarget.checked)}
      />{" "}
      {titleOf(field.name)}{" "}
      <small>
        {field.name}
        {field.unit ? `, ${field.unit}` : ""}
      </small>
    </label>
  );
}

function useClosedOutside(box: { current: HTMLDetailsElement | null }): void {
  useEffect(() => {
    const away = (event: Event) => {
      const inside = event.target instanceof Node && box.current?.contains(event.target);
      if (box.current?.open && !inside) box.current.open = false;
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);
}

export function ColumnChooser(props: {
  fields: readonly Field[];
  chosen: readonly string[];
  usual: readonly string[];
}): JSX.Element {
  const box = useRef<HTMLDetailsElement>(null);
  const choose = (names: readonly string[]) => {
    const usual = names.length === 0 || names.join() === props.usual.join();
    const all = names.length === props.fields.length;
    setParams({ columns: usual ? null : all ? "all" : names.join(",") });
  };
  useClosedOutside(box);
  return (
    <details
      class="chooser"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !box.current?.open) return;
        box.current.open = false;
        box.current.querySelector("summary")?.focus();
      }}
    >
      <summary>{words.columns}</summary>
      <div class="chooser-box">
        <p>{words.columnsHelp}</p>
        <p>
          <button type="button" onClick={() => choose(props.usual)}>
            {words.usual}
          </button>{" "}
          <button type="button" onClick={() => choose(props.fields.map((field) => field.name))}>
            {words.all}
          </button>
        </p>
        <ul>
          {props.fields.map((field) => (
            <li key={field.name}>
              <Choice
                field={field}
                chosen={props.chosen.includes(field.name)}
                choose={(chosen) =>
                  choose(
                    chosen
                      ? [...props.chosen, field.name]
                      : props.chosen.filter((name) => name !== field.name),
                  )
                }
              />
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
