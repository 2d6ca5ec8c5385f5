// Words of a command line, safe to paste into a shell whatever is in them.

// Null where no quoting helps: a terminal acts on control characters before the shell reads them.
export function shellWord(word: string): string | null {
  for (const char of word) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return null;
    if (turnsText(code)) return null;
  }
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  return "'" + word.replaceAll("'", "'\\''") + "'";
}

export function shellLine(...line: readonly string[]): string | null {
  const quoted: string[] = [];
  for (const one of line) {
    const word = shellWord(one);
    if (word === null) return null;
    quoted.push(word);
  }
  return quoted.join(" ");
}

// Marks that change the direction of text, so that it reads as something else than it is.
export function turnsText(code: number): boolean {
  return (
    code === 0x61c ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  );
}

// What a terminal would act on is shown, not done: ESC is "␛", a mark that turns text "⟨U+202E⟩".
export function visible(text: string): string {
  let result = "";
  for (const char of text.replaceAll("\r\n", "\n")) {
    const code = char.codePointAt(0) ?? 0;
    if (char === "\n" || char === "\t") result += char;
    else if (code < 0x20) result += String.fromCodePoint(0x2400 + code);
    else if (code === 0x7f) result += "␡";
    else if ((code > 0x7f && code < 0xa0) || turnsText(code)) {
      result += `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    } else result += char;
  }
  return result;
}
