// What is to be copied: the page itself changes nothing.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { words } from "../text/en/filters.ts";
import "../style/filters.css";

// Over plain HTTP a browser offers no clipboard: an old way is left.
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton(props: { text: string; what?: string }): JSX.Element {
  const [done, setDone] = useState<"yes" | "no" | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    setDone((await copied(props.text)) ? "yes" : "no");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(null), 4000);
  };
  return (
    <button
      type="button"
      class="copy"
      title={done === "no" ? words.cannotCopy : undefined}
      aria-label={
        done === null && props.what !== undefined ? words.copyWhat(props.what) : undefined
      }
      onClick={() => void copy()}
    >
      <span aria-live="polite">
        {done === null ? words.copy : done === "yes" ? words.copied : words.cannotCopy}
      </span>
    </button>
  );
}

// `line` null: its parts are none that may stand in a command line.
export function Command(props: { title: string; line: string | null }): JSX.Element {
  return (
    <div class="command">
      <span class="command-title">{props.title}</span>
      {props.line === null ? (
        <span>{words.unsafe}</span>
      ) : (
        <>
          <code>{props.line}</code>
          <CopyButton text={props.line} what={props.title} />
        </>
      )}
    </div>
  );
}
