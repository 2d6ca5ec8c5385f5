// What came back from a route, ready to be shown.
import { shellWord } from "../../parts/shell.ts";

// So much of a body is read, and so much of it shown.
export const READ_MOST = 8 * 1024 * 1024;
export const STREAM_MOST = 64 * 1024;
export const SHOW_MOST = 200_000;

export const HEADERS = [
  "content-type",
  "content-length",
  "content-encoding",
  "etag",
  "age",
  "cache-control",
  "retry-after",
  "allow",
  "x-request-id",
];

// Indented where it is JSON; of a very long one the begin as it is.
export function pretty(body: string, contentType: string): string {
  if (!/\bjson\b/.test(contentType) || body.length > READ_MOST / 4) return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // cut, or none after all
  }
}

export function isText(contentType: string): boolean {
  return contentType === "" || /^text\/|json|xml|javascript|x-www-form/.test(contentType);
}

// $TOKEN, never its value: command lines are kept in histories and sent to others.
export function curlLine(url: string, withToken: boolean): string | null {
  const quoted = shellWord(url);
  if (quoted === null) return null;
  const head = withToken ? ' -H "Authorization: Bearer $TOKEN"' : "";
  return `curl -sS${head} ${quoted}`;
}

export interface Body {
  readonly bytes: Uint8Array;
  readonly whole: boolean; // false: there was more
}

// Until it ends, or there are `most` bytes, or nobody wants any more.
export async function readBody(
  stream: ReadableStream<Uint8Array> | null,
  most: number,
): Promise<Body> {
  if (stream === null) return { bytes: new Uint8Array(), whole: true };
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  let whole = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        whole = true;
        break;
      }
      pieces.push(value);
      length += value.length;
      if (length > most) break;
    }
  } catch {
    /* stopped: what has come is shown */
  }
  void reader.cancel().catch(() => undefined);
  const bytes = new Uint8Array(Math.min(length, most));
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, whole };
}
