// What is the matter, before anything else.
import type { JSX } from "preact";
import type { ApiError, Schemas } from "../../api/client.ts";
import { type Asked, useAsked } from "../../api/query.ts";
import { duration, time } from "../../parts/format.ts";
import { whereHref, whereText } from "../../parts/links.ts";
import { State } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import { type Problem, problemsOf } from "../problems.ts";

const SHOWN = 10;
const MOST = 50;

function Item(props: { of: Problem }): JSX.Element {
  const { of } = props;
  const link = whereHref(of.node, of.gpu);
  const where = whereText(of.node, of.gpu);
  const since =
    of.since !== null
      ? words.since(time(of.since))
      : of.age !== null
        ? words.exporterAge(duration(of.age))
        : null;
  return (
    <li class={`problem problem-${of.severity}`}>
      <State state={of.severity} />
      <span>
        {words.kinds[of.kind]} {link === undefined ? where : <a href={link}>{where}</a>}
      </span>
      <span class="problem-what">
        {of.kind === "alert" ? (
          <>
            <a href={href(["events"], { tab: "alerts", alertname: of.what })}>{of.what}</a>{" "}
            <small>{of.more}</small>
          </>
        ) : (
          of.what
        )}
      </span>
      {since !== null && <span class="problem-since">{since}</span>}
    </li>
  );
}

// What was not answered is not taken for "nothing is the matter".
function Failed(props: { what: string; error: ApiError | undefined }): JSX.Element | null {
  if (props.error === undefined) return null;
  return (
    <li class="problem">
      <State state="unknown" label={words.notAsked(props.what)} />
      <span class="problem-what">{props.error.message}</span>
    </li>
  );
}

export function Problems(props: { nodes: Asked<Schemas["GpuNode"][]> }): JSX.Element {
  const { nodes } = props;
  const health = useAsked<Schemas["GpuHealth"][]>("api/v1/gpu/health", {
    level: ["critical", "degraded"],
    sort: "score",
    limit: MOST,
    ...instantParams(),
  });
  const alerts = useAsked<Schemas["GpuAlert"][]>("api/v1/gpu/alerts", {
    state: "firing",
    limit: MOST,
    ...instantParams(),
  });
  const asked = [health, alerts, nodes];
  const problems = problemsOf(health.data ?? [], alerts.data ?? [], nodes.data ?? [], words);
  const unseen = [health, alerts].reduce(
    (sum, one) => sum + Math.max(0, (one.meta.total ?? 0) - (one.data?.length ?? 0)),
    0,
  );
  const more = problems.length - SHOWN + unseen;
  const waiting = asked.some((one) => one.waiting);
  const failed = asked.some((one) => one.error !== undefined);
  // What only a part of the queries, or an old answer, says is no all-clear.
  const whole = asked.every((one) => !one.meta.partial && !one.meta.stale);
  const asOf = health.meta.as_of;
  return (
    <section aria-labelledby="problems">
      <h2 id="problems">{words.problems}</h2>
      {problems.length === 0 && !waiting && !failed && (
        <p class="fine">
          {whole ? (
            <State
              state="healthy"
              label={words.nothingWrong(asOf === undefined ? "–" : time(asOf))}
            />
          ) : (
            <State state="unknown" label={words.nothingKnown} />
          )}
        </p>
      )}
      <ul class="problems">
        {problems.slice(0, SHOWN).map((one) => (
          <Item key={one.key} of={one} />
        ))}
        <Failed what={words.sources.health} error={health.error} />
        <Failed what={words.sources.alerts} error={alerts.error} />
        <Failed what={words.sources.nodes} error={nodes.error} />
      </ul>
      {waiting && <p class="note">{words.asking}</p>}
      {more > 0 && (
        <p class="note">
          {words.more(more)}: <a href={href(["health"])}>{words.moreIn.health}</a>,{" "}
          <a href={href(["events"], { tab: "alerts" })}>{words.moreIn.events}</a>,{" "}
          <a href={href(["nodes"])}>{words.moreIn.nodes}</a>
        </p>
      )}
    </section>
  );
}
