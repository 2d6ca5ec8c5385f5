// What a command task has printed. It is text: nothing in it is acted on.
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Schemas } from "../../api/client.ts";
import { HAKU } from "../../api/features.ts";
import { useAsked } from "../../api/query.ts";
import { Kept } from "../../parts/facts.tsx";
import { Choice } from "../../parts/choice.tsx";
import { bytes } from "../../parts/format.ts";
import { visible } from "../../parts/shell.ts";
import { param, setParams } from "../../state/place.ts";
import { words } from "../../text/en/tasks.ts";
import "../../style/tasks.css";

type Log = Schemas["HakuRiverLog"];
const TAILS = ["100", "1000", "10000", "all"];
const USUAL_TAIL = "100";
const FOLLOW_EVERY = 3000;

export function LogView(props: { id: string }): JSX.Element {
  const stream = param("log") === "stderr" ? "stderr" : "stdout";
  const tail = param("tail") ?? USUAL_TAIL;
  const follow = param("follow") === "1";
  const asked = useAsked<Log>(
    `${HAKU}tasks/${encodeURIComponent(props.id)}/${stream}`,
    tail === "all" ? {} : { tail },
    follow ? FOLLOW_EVERY : 0,
    true,
  );
  return (
    <>
      <div class="filters">
        <Choice
          name="log"
          label={words.output}
          options={[
            { value: "stdout", label: words.stdout },
            { value: "stderr", label: words.stderr },
          ]}
        />
        <label class="filter">
          <span>{words.tail}</span>
          <select value={tail} onChange={(event) => setParams({ tail: event.currentTarget.value })}>
            {[...TAILS, ...(TAILS.includes(tail) ? [] : [tail])].map((one) => (
              <option key={one} value={one}>
                {one === "all" ? words.everything : one}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={follow}
            onChange={(event) => setParams({ follow: event.currentTarget.checked ? "1" : null })}
          />
          {words.follow}
        </label>
        {!follow && (
          <button type="button" onClick={asked.again}>
            {words.again}
          </button>
        )}
      </div>
      <Kept of={asked}>
        {(log) => <LogText log={log} follow={follow} label={words.logOf(stream, props.id)} />}
      </Kept>
    </>
  );
}

function LogText(props: { log: Log; follow: boolean; label: string }): JSX.Element {
  const { log, follow } = props;
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const shown = useMemo(() => visible(log.text ?? ""), [log.text]);
  // Whoever has scrolled up to read is left there.
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [shown, follow]);
  if (log.text === null || log.text === undefined) return <p class="muted">{words.nothingYet}</p>;
  if (log.text === "") return <p class="muted">{words.emptyLog}</p>;
  return (
    <>
      {log.truncated && <p class="kept">{words.cut}</p>}
      <pre
        ref={box}
        class="log"
        tabIndex={0}
        role="region"
        aria-label={props.label}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
        }}
      >
        {shown}
      </pre>
      <p class="muted">
        {words.size(bytes(log.bytes ?? 0))}
        {follow ? ` · ${words.following}` : ""}
      </p>
    </>
  );
}
