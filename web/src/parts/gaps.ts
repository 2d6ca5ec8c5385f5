// Where a line of a chart is broken. What is sampled less often than the chart has steps is unknown
// between its samples, and still one line: a sample and the next one are joined, a gap stays a gap.

// As uPlot reads it: a number, null for a gap, undefined where the line goes on.
export type Point = number | null | undefined;

const FEWEST = 3; // distances that are alike make an interval

function slack(steps: number): number {
  return Math.max(1, 0.1 * steps);
}

// Samples are joined that are no further apart than the ones before or after them, where others of
// the line are as far apart as these.
export function joined(values: readonly (number | null)[]): Point[] {
  const known: number[] = [];
  values.forEach((value, i) => {
    if (value !== null) known.push(i);
  });
  const apart = known.slice(1).map((at, i) => at - (known[i] ?? 0));
  const usual = (steps: number) =>
    steps > 1 &&
    apart.filter((one) => one > 1 && Math.abs(one - steps) <= slack(steps)).length >= FEWEST;
  const within = (one: number, other: number) => one > 1 && one <= other + slack(other);
  const result: Point[] = [...values];
  apart.forEach((steps, i) => {
    const near = [apart[i - 1] ?? 0, apart[i + 1] ?? 0].some(
      (one) => (usual(one) && within(steps, one)) || (usual(steps) && within(one, steps)),
    );
    if (!near) return;
    const from = known[i] ?? 0;
    result.fill(undefined, from + 1, from + steps);
  });
  return result;
}

// A value between two gaps is no line; it is a point.
export function alone(values: ArrayLike<Point> | undefined): number[] | null {
  const points: number[] = [];
  for (let i = 0; i < (values?.length ?? 0); i += 1) {
    const [before, after] = [values?.[i - 1], values?.[i + 1]];
    const first = i === 0 || before === null;
    const last = i + 1 === values?.length || after === null;
    if (values?.[i] != null && first && last) points.push(i);
  }
  return points.length > 0 ? points : null;
}
