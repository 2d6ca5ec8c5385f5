// What stands in a view's place while its answer is on its way, or when there is none.
import type { ComponentChildren, JSX } from "preact";
import type { Asked } from "../api/query.ts";
import { text } from "../text/en.ts";

// `children` is called with the data once there is any.
export function Shown<T>(props: {
  of: Asked<T>;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { of } = props;
  if (of.data !== undefined) {
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

export function Warnings(props: { of: readonly string[] }): JSX.Element | null {
  if (props.of.length === 0) return null;
  return (
    <ul class="warnings">
      {props.of.map((one) => (
        <li key={one}>{one}</li>
      ))}
    </ul>
  );
}
