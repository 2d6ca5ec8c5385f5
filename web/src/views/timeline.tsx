// How many events began when: a column for each part of the time, which leads to it alone.
import type { JSX } from "preact";
import { time } from "../parts/format.ts";
import { State } from "../parts/value.tsx";
import { here } from "../state/place.ts";
import { eventsText as words } from "../text/en/events.ts";
import type { Event } from "./events-asked.ts";
import { type Bin, binsOf, type Slice } from "./slices.ts";

const BINS = 48;
const LEAST = 60_000; // a column is not narrowed to less
const SEVERITIES = ["critical", "warning", "info"] as const;

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

function Column(props: { bin: Bin; most: number; unknown: boolean }): JSX.Element {
  const { bin, most } = props;
  const parts = SEVERITIES.filter((one) => bin.counts[one]);
  const label = words.bin(
    time(iso(bin.from)),
    time(iso(bin.to)),
    parts.map((one) => words.binCount(bin.counts[one] ?? 0, one)).join(", ") || "0",
  );
  const bars = parts
    .toReversed()
    .map((one) => (
      <span
        key={one}
        class={`bin-part bin-${one}`}
        style={{ height: `${(100 * (bin.counts[one] ?? 0)) / most}%` }}
      />
    ));
  const kind = props.unknown ? "bin bin-unknown" : "bin";
  if (bin.sum === 0 || bin.to - bin.from < LEAST) {
    return (
      <span class={kind} title={label}>
        {bars.toReversed()}
      </span>
    );
  }
  const target = here({ start: iso(bin.from), end: iso(bin.to), at: null });
  return (
    <a class={kind} href={target} title={label} aria-label={label}>
      {bars.toReversed()}
    </a>
  );
}

// `back`: what is before it was not looked at yet.
export function Timeline(props: {
  events: readonly Event[];
  window: Slice;
  back: number | null;
}): JSX.Element {
  const bins = binsOf(props.events, props.window, BINS);
  const most = Math.max(1, ...bins.map((bin) => bin.sum));
  const back = props.back ?? props.window.to;
  const sum = (severity: string) => bins.reduce((all, bin) => all + (bin.counts[severity] ?? 0), 0);
  const first = bins[0];
  const last = bins.at(-1);
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">{words.timeline}</h2>
      <div class="timeline">
        <div class="bins">
          {bins.map((bin) => (
            <Column key={bin.from} bin={bin} most={most} unknown={bin.to <= back} />
          ))}
        </div>
        <div class="timeline-ends">
          <span>{first && time(iso(first.from))}</span>
          <span>{last && time(iso(last.to))}</span>
        </div>
      </div>
      <p class="note timeline-legend">
        {SEVERITIES.map((one) => (
          <span key={one} class="timeline-sum">
            <span class={`bin-key bin-${one}`} aria-hidden="true" />
            <State state={one} /> <b>{sum(one)}</b>
          </span>
        ))}
        {words.legend}
      </p>
    </section>
  );
}
