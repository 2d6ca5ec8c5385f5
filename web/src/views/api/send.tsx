// Sends a request of the form and shows what came back: as text, whatever it is.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, ask } from "../../api/client.ts";
import { CopyButton } from "../../parts/command.tsx";
import { Facts, PlainTable } from "../../parts/facts.tsx";
import { bytes } from "../../parts/format.ts";
import { visible } from "../../parts/shell.ts";
import { tokenWanted } from "../../state/prefs.ts";
import { words } from "../../text/en/api.ts";
import { HEADERS, isText, pretty, readBody, READ_MOST, SHOW_MOST, STREAM_MOST } from "./answer.ts";
import type { Request } from "./doc.ts";

export interface Sent {
  readonly sending: boolean;
  readonly problem?: string;
  readonly status?: string;
  readonly milliseconds?: number;
  readonly size?: number;
  readonly whole?: boolean;
  readonly headers?: readonly (readonly [string, string])[];
  readonly text?: string | null; // null: it is no text
}

// A stream has no end: so long is listened to it.
const LISTEN = 10_000;

async function sent(request: Request, signal: AbortSignal): Promise<Sent> {
  const began = performance.now();
  try {
    const response = await ask(request.path, request.query, signal);
    if (response.status === 401) tokenWanted.value = true;
    const type = response.headers.get("content-type") ?? "";
    const stream = type.startsWith("text/event-stream");
    const body = await readBody(response.body, stream ? STREAM_MOST : READ_MOST);
    const text = isText(type) ? pretty(new TextDecoder().decode(body.bytes), type) : null;
    const headers = HEADERS.flatMap((name) => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    return {
      sending: false,
      status: `${response.status} ${response.statusText}`.trim(),
      milliseconds: Math.round(performance.now() - began),
      size: body.bytes.length,
      whole: body.whole,
      headers,
      text,
    };
  } catch (error) {
    if (signal.aborted) return { sending: false };
    return { sending: false, problem: error instanceof ApiError ? error.message : String(error) };
  }
}

export function useSend(): { outcome: Sent; send: (request: Request) => void; stop: () => void } {
  const [outcome, setOutcome] = useState<Sent>({ sending: false });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const send = (request: Request) => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setOutcome({ sending: true });
    const timer = request.path.endsWith("/stream") && setTimeout(() => mine.abort(), LISTEN);
    void sent(request, mine.signal).then((result) => {
      if (timer !== false) clearTimeout(timer);
      if (abort.current === mine) setOutcome(result);
    });
  };
  return { outcome, send, stop: () => abort.current?.abort() };
}

export function Outcome(props: { of: Sent }): JSX.Element {
  const { of } = props;
  return (
    <div role="status" aria-live="polite">
      {of.problem !== undefined && <p class="kept">{of.problem}</p>}
      {of.status !== undefined && <Answer of={of} />}
    </div>
  );
}

function Answer(props: { of: Sent }): JSX.Element {
  const { of } = props;
  return (
    <section class="section" aria-label={words.answer}>
      <h3>{words.answer}</h3>
      <Facts
        rows={[
          [words.status, of.status],
          [words.time, words.milliseconds(of.milliseconds ?? 0)],
          [words.size, bytes(of.size ?? 0)],
        ]}
      />
      <PlainTable
        label={words.headers}
        columns={[{ title: words.header }, { title: words.value }]}
        rows={(of.headers ?? []).map(([name, value]) => ({ key: name, cells: [name, value] }))}
      />
      <BodyText of={of} />
    </section>
  );
}

function BodyText(props: { of: Sent }): JSX.Element {
  const { text, whole, size } = props.of;
  if (text === null || text === undefined) return <p class="muted">{words.binary}</p>;
  if (size === 0) return <p class="muted">{words.noBody}</p>;
  const shown = visible(text.slice(0, SHOW_MOST));
  return (
    <>
      <p class="api-body-head">
        {words.body} <CopyButton text={text} what={words.copyBody} />
      </p>
      {whole === false && <p class="kept">{words.stopped}</p>}
      {text.length > SHOW_MOST && (
        <p class="kept">{words.cut(bytes(SHOW_MOST), bytes(text.length))}</p>
      )}
      <pre class="log" tabIndex={0} role="region" aria-label={words.body}>
        {shown}
      </pre>
    </>
  );
}
