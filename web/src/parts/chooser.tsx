// Which columns a table has. The choice is in the URL.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { setParams } from "../state/place.ts";
import "../style/chooser.css";
import { gpusText } from "../text/en/gpus.ts";
import { columnsParam } from "./chosen.ts";
import { type Field, helpOf, titleOf } from "./fields.ts";

const words = gpusText.list;

// A column that can be chosen.
export interface Offer {
  readonly key: string;
  readonly title: string;
  readonly help?: string | undefined;
  readonly unit?: string | null | undefined;
}

export function offersOf(fields: readonly Field[]): Offer[] {
  return fields.map((field) => ({
    key: field.name,
    title: titleOf(field.name),
    help: helpOf(field),
    unit: field.unit,
  }));
}

function Choice(props: {
  of: Offer;
  chosen: boolean;
  choose: (chosen: boolean) => void;
}): JSX.Element {
  const { key, title, help, unit } = props.of;
  return (
    <label title={help}>
      <input
        type="checkbox"
        checked={props.chosen}
        onChange={(event) => props.choose(event.currentTarget.checked)}
      />{" "}
      {title}{" "}
      <small>
        {key}
        {unit ? `, ${unit}` : ""}
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
  of: readonly Offer[];
  chosen: readonly string[];
  usual: readonly string[];
}): JSX.Element {
  const box = useRef<HTMLDetailsElement>(null);
  const all = props.of.map((one) => one.key);
  const choose = (chosen: readonly string[]) =>
    setParams({ columns: columnsParam(chosen, props.usual, all) });
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
          <button type="button" onClick={() => choose(all)}>
            {words.all}
          </button>
        </p>
        <ul>
          {props.of.map((one) => (
            <li key={one.key}>
              <Choice
                of={one}
                chosen={props.chosen.includes(one.key)}
                choose={(chosen) =>
                  choose(
                    chosen
                      ? [...props.chosen, one.key]
                      : props.chosen.filter((key) => key !== one.key),
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
