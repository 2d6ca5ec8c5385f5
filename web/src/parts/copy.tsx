// Puts a text into the clipboard and says that it did.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { gpuText } from "../text/en/gpu.ts";

// Over plain HTTP a browser gives no clipboard: an old way is left.
async function copy(text: string): Promise<boolean> {
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

export function Copy(props: { text: string; label?: string }): JSX.Element {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="copy-text"
      aria-label={props.label}
      onClick={() => {
        void copy(props.text).then((copied) => {
          setDone(copied);
          setTimeout(() => setDone(false), 2000);
        });
      }}
    >
      <span aria-live="polite">{done ? gpuText.copied : gpuText.copy}</span>
    </button>
  );
}
