// What stands above every view: how fresh the data is, what is wrong, what time is looked at.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { age, looked, news, staleAge } from "../state/news.ts";
import { setParams } from "../state/place.ts";
import { paused, type Theme, theme, token, tokenWanted } from "../state/prefs.ts";
import { range, WINDOWS } from "../state/range.ts";
import { text } from "../text/en.ts";
import { useDialog } from "./dialog.ts";
import { duration, time } from "./format.ts";

export function Freshness(): JSX.Element {
  const seconds = age.value;
  const at = range.value.at;
  const words =
    at !== null
      ? text.freshness.past(atText(at))
      : seconds === null
        ? text.freshness.none
        : text.freshness.old(duration(seconds));
  return (
    <span class="freshness">
      <span data-age={seconds ?? ""}>
        {words}
        {paused.value ? ` (${text.freshness.paused})` : ""}
      </span>
      <button
        type="button"
        aria-pressed={paused.value}
        onClick={() => {
          paused.value = !paused.value;
        }}
      >
        {paused.value ? text.freshness.resume : text.freshness.pause}
      </button>
    </span>
  );
}

function atText(at: string): string {
  return time(/^\d+(\.\d+)?$/.test(at) ? new Date(Number(at) * 1000).toISOString() : at);
}

// What is looked at where that is not now; null where it is.
function pastText(): string | null {
  const { at, start, end } = range.value;
  if (start !== null) return text.range.fromTo(atText(start), end === null ? null : atText(end));
  const until = end ?? at;
  return until === null ? null : atText(until);
}

// Who gives nothing new, since when, and why; null: all is well.
function awayText(): string | null {
  const { problem, stale, why, asOf, staleAsOf } = news.value;
  if (problem === null && !stale) return null;
  const who = text.banner.whose[looked.value];
  const reason = problem?.message ?? (why === null ? null : text.codes[why]) ?? text.noReason;
  const since = problem === null ? staleAsOf : asOf;
  const old = problem === null ? staleAge.value : age.value;
  if (since === null || old === null) return text.banner.away(who, reason);
  return text.banner.old(who, reason, time(new Date(since).toISOString()), duration(old));
}

export function Banner(): JSX.Element | null {
  const { problem, some, partial, asOf } = news.value;
  const old = asOf === null || age.value === null ? null : duration(age.value);
  const away = awayText();
  const past = pastText();
  const lines: { kind: string; words: string }[] = [];
  if (problem !== null && problem.status === 0) {
    lines.push({ kind: "bad", words: text.banner.unreachable(old) });
  } else if (away !== null) {
    lines.push({ kind: "bad", words: away });
  }
  if (some !== null) lines.push({ kind: "warn", words: text.banner.some(some.message) });
  if (partial) lines.push({ kind: "warn", words: text.banner.partial });
  return (
    <div role="status" aria-live="polite">
      {lines.map((line) => (
        <p key={line.words} class={`banner banner-${line.kind}`}>
          {line.words}
        </p>
      ))}
      {past !== null && (
        <p class="banner banner-info">
          {text.banner.past(past)}{" "}
          <button
            type="button"
            onClick={() => setParams({ at: null, start: null, end: null }, "push")}
          >
            {text.banner.toNow}
          </button>
        </p>
      )}
    </div>
  );
}

// "2026-11-29T12:30", local time, as <input type=datetime-local> has it.
function localText(at: string | null): string {
  if (at === null) return "";
  const date = new Date(/^\d+(\.\d+)?$/.test(at) ? Number(at) * 1000 : at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function RangePicker(): JSX.Element {
  const { window, at, start } = range.value;
  const known = start === null && (WINDOWS as readonly string[]).includes(window);
  const shown = start === null ? window : text.range.own;
  return (
    <span class="range">
      <label>
        {text.range.label}{" "}
        <select
          value={shown}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            if (chosen !== shown) setParams({ window: chosen, start: null, end: null }, "push");
          }}
        >
          {[...WINDOWS, ...(known ? [] : [shown])].map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label>
        {text.range.at}{" "}
        <input
          type="datetime-local"
          value={localText(at)}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            const instant = chosen === "" ? null : new Date(chosen).toISOString();
            setParams({ at: instant, start: null, end: null }, "push");
          }}
        />
      </label>
    </span>
  );
}

const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function ThemePicker(): JSX.Element {
  return (
    <label>
      {text.theme.label}{" "}
      <select
        value={theme.value}
        onChange={(event) => {
          theme.value = event.currentTarget.value as Theme;
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {text.theme[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

export function TokenDialog(): JSX.Element | null {
  const [typed, setTyped] = useState("");
  const box = useDialog(tokenWanted.value);
  if (!tokenWanted.value) return null;
  return (
    <div ref={box} class="dialog" role="dialog" aria-modal="true" aria-label={text.token.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          tokenWanted.value = false;
          token.value = typed.trim();
          setTyped("");
        }}
      >
        <h2>{text.token.title}</h2>
        <p>{token.value === null ? text.token.help : text.token.refused}</p>
        <label>
          {text.token.field}{" "}
          <input
            type="password"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit">{text.token.enter}</button>
      </form>
    </div>
  );
}
