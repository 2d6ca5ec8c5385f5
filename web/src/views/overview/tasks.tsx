// Tasks by status, of Kubernetes and of HakuRiver.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findFeatures, hakuThere } from "../../api/features.ts";
import type { Schemas } from "../../api/client.ts";
import { useAsked } from "../../api/query.ts";
import { Shown } from "../../parts/asked.tsx";
import { Stack } from "../../parts/stack.tsx";
import { State, Unknown } from "../../parts/value.tsx";
import { href } from "../../state/place.ts";
import { instantParams, range } from "../../state/range.ts";
import { overviewText as words } from "../../text/en/overview.ts";
import {
  type Counts,
  countStates,
  kubernetesCounts,
  TASK_STATES,
  type TaskState,
  wordsOf,
} from "../taskcounts.ts";

const EVERY = 10_000;
// Colours and signs of states that other things are in, too.
const LIKE: Record<TaskState, string> = {
  running: "busy",
  waiting: "idle_held",
  paused: "degraded",
  succeeded: "free",
  failed: "critical",
  stopped: "offline",
  unknown: "unknown",
};

function Count(props: {
  of: number | undefined;
  link: string;
  reason?: string | undefined;
}): JSX.Element {
  if (props.of === undefined) return <Unknown reason={props.reason} />;
  return props.of === 0 ? <>0</> : <a href={props.link}>{props.of}</a>;
}

function TaskHead(props: { there: boolean }): JSX.Element {
  const c = words.taskColumns;
  const numbers = props.there ? [c.kubernetes, c.haku, c.vps, c.sum] : [c.kubernetes];
  return (
    <thead>
      <tr>
        <th scope="col">{c.status}</th>
        {numbers.map((title) => (
          <th key={title} scope="col" class="numeric">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

// Of all sources; of those that are known where not all are.
function Sum(props: { of: readonly (number | undefined)[] }): JSX.Element {
  const known = props.of.filter((one) => one !== undefined);
  if (known.length === 0) return <Unknown />;
  const sum = known.reduce((all, one) => all + one, 0);
  if (known.length === props.of.length) return <>{sum}</>;
  return <span title={words.notAll}>≥ {sum}</span>;
}

interface Sources {
  readonly kubernetes: Counts | undefined;
  readonly haku: Counts | undefined;
  readonly vps: Counts | undefined;
}

function allOf(of: Sources, state: TaskState): number {
  return [of.kubernetes, of.haku, of.vps].reduce((sum, one) => sum + (one?.[state] ?? 0), 0);
}

function TaskTable(props: Sources & { reason: string }): JSX.Element {
  const { kubernetes, haku, vps } = props;
  const there = hakuThere.value === true && range.value.at === null;
  const sum = (state: TaskState) => allOf(props, state);
  const states = TASK_STATES.filter((state) => state !== "unknown" || sum(state) > 0);
  const link = (state: TaskState) => ({
    kubernetes: href(["tasks"], { phase: wordsOf(state, true) }),
    haku: href(["tasks"], { source: "hakuriver", status: wordsOf(state, false) }),
    vps: href(["vps"], { all: "1", status: wordsOf(state, false) }),
  });
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={words.tasks}>
      <table class="plain">
        <TaskHead there={there} />
        <tbody>
          {states.map((state) => (
            <tr key={state}>
              <th scope="row">
                <State state={LIKE[state]} label={words.taskStates[state]} />
              </th>
              <td class="numeric">
                <Count
                  of={kubernetes?.[state]}
                  link={link(state).kubernetes}
                  reason={props.reason}
                />
              </td>
              {there && (
                <>
                  <td class="numeric">
                    <Count of={haku?.[state]} link={link(state).haku} />
                  </td>
                  <td class="numeric">
                    <Count of={vps?.[state]} link={link(state).vps} />
                  </td>
                  <td class="numeric">
                    <Sum of={[kubernetes?.[state], haku?.[state], vps?.[state]]} />
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Tasks(): JSX.Element {
  useEffect(findFeatures, []);
  const now = range.value.at === null && hakuThere.value === true;
  const fields = "kind,job,phase";
  const kubernetes = useAsked<Schemas["GpuTask"][]>(
    "api/v1/gpu/tasks",
    { fields, ...instantParams() },
    EVERY,
  );
  const haku = useAsked<Schemas["HakuRiverTask"][]>(
    now ? "api/v1/hakuriver/tasks" : null,
    { fields: "status" },
    EVERY,
  );
  const vps = useAsked<Schemas["HakuRiverVps"][]>(
    now ? "api/v1/hakuriver/vps" : null,
    { fields: "status", all: "true" },
    EVERY,
  );
  const counts = (rows: readonly { status?: string | null }[] | undefined) =>
    rows && countStates(rows.map((one) => one.status));
  return (
    <section aria-labelledby="tasks">
      <h2 id="tasks">{words.tasks}</h2>
      <Shown of={kubernetes}>
        {(rows) => {
          const sources = {
            // None at all: that there are none is not told.
            kubernetes: rows.length > 0 ? kubernetesCounts(rows) : undefined,
            haku: counts(haku.data),
            vps: counts(vps.data),
          };
          const all = (state: TaskState) => allOf(sources, state);
          return (
            <>
              <Stack
                title={words.tasks}
                parts={TASK_STATES.map((state) => ({
                  key: `task-${state}`,
                  label: words.taskStates[state] ?? state,
                  value: all(state),
                  text: String(all(state)),
                })).filter((part) => part.value > 0)}
              />
              <TaskTable
                {...sources}
                reason={kubernetes.meta.partial ? "query_failed" : words.tasksUntold}
              />
              {rows.length === 0 && <p class="note">{words.noTasks}</p>}
              <p class="note">
                {words.taskNote} {hakuThere.value === false && words.noHaku}
              </p>
            </>
          );
        }}
      </Shown>
    </section>
  );
}
