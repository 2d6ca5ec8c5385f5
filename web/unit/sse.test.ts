import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServerEvent, sseReader } from "../src/api/sse.ts";

const STREAM =
  ': hello\r\nid: 1\nevent: snapshot\ndata: {"a":\ndata:1}\n\nretry: 5\n\ndata:  x\n\n';
const EVENTS = [
  { id: "1", event: "snapshot", data: '{"a":\n1}' },
  { id: "1", event: "message", data: " x" },
];

test("events, whatever pieces they come in", () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    const got: ServerEvent[] = [];
    const take = sseReader((event) => got.push(event));
    for (let i = 0; i < STREAM.length; i += size) take(STREAM.slice(i, i + size));
    assert.deepEqual(got, EVENTS);
  }
});
