// Single numbers side by side.
import type { ComponentChildren, JSX } from "preact";
import "../style/lists.css";

export function Tiles(props: { children: ComponentChildren }): JSX.Element {
  return <dl class="tiles">{props.children}</dl>;
}

export function Tile(props: {
  label: string;
  more?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="tile">
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
      {props.more !== undefined && <dd class="tile-more">{props.more}</dd>}
    </div>
  );
}
