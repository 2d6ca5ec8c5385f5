// A small curve without axes: how a value went. Null is a gap.
import type { JSX } from "preact";

export function Spark(props: {
  values: readonly (number | null)[];
  most: number;
  label: string;
}): JSX.Element {
  const { values, most } = props;
  const pieces: string[] = [];
  let piece = "";
  values.forEach((value, i) => {
    if (value === null) {
      if (piece) pieces.push(piece);
      piece = "";
      return;
    }
    const x = (100 * i) / Math.max(1, values.length - 1);
    const y = 20 - (20 * Math.min(most, Math.max(0, value))) / most;
    piece += `${piece ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  if (piece) pieces.push(piece);
  return (
    <svg
      class="spark"
      viewBox="0 0 100 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={props.label}
    >
      <path d={pieces.join("")} />
    </svg>
  );
}
