import assert from "node:assert/strict";
import { test } from "node:test";
import { shellLine, shellWord, visible } from "../src/parts/shell.ts";

test("plain words stand as they are, others are quoted", () => {
  assert.equal(shellWord("ml-team"), "ml-team");
  assert.equal(shellWord(""), "''");
  assert.equal(shellWord("a b"), "'a b'");
  assert.equal(shellWord("$(reboot)"), "'$(reboot)'");
  assert.equal(shellWord("it's"), "'it'\\''s'");
  assert.equal(shellLine("kubectl", "get", "pods;ls"), "kubectl get 'pods;ls'");
});

test("what a terminal acts on gives no command line", () => {
  for (const bad of ["a\nb", "a\x1b[31m", "a\x7f", "a\x9b", "a\u202eb", "\r"]) {
    assert.equal(shellWord(bad), null);
    assert.equal(shellLine("kubectl", bad), null);
  }
});

test("control characters of a log are shown, not done", () => {
  assert.equal(visible("a\tb\r\nc\n"), "a\tb\nc\n");
  assert.equal(visible("\x1b[31mred"), "␛[31mred");
  assert.equal(visible("50 %\r60 %"), "50 %␍60 %");
  assert.equal(visible("\x00\x7f\x85"), "␀␡⟨U+0085⟩");
  assert.equal(visible("a\u202eb\u2066c"), "a⟨U+202E⟩b⟨U+2066⟩c");
  assert.equal(visible("学習 😀"), "学習 😀");
});
