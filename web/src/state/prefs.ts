// What a person chose for this browser, and for this tab alone.
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null; // refused by the browser: then it holds until the page is left
  }
}

function write(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    /* see above */
  }
}

const THEME = "gpumon-theme";
const TOKEN = "gpumon-token";

function themeOf(text: string | null): Theme {
  return text === "light" || text === "dark" ? text : "system";
}

export const theme = signal<Theme>(themeOf(read(() => localStorage, THEME)));
// Nothing is asked for while it is true.
export const paused = signal(false);
// Of API_BEARER_TOKEN_FILE; gone with the tab.
export const token = signal<string | null>(read(() => sessionStorage, TOKEN));
// The server refused what it was shown, or nothing was shown.
export const tokenWanted = signal(false);

export function followPrefs(): void {
  effect(() => {
    const chosen = theme.value;
    if (chosen === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = chosen;
    write(() => localStorage, THEME, chosen === "system" ? null : chosen);
  });
  effect(() => write(() => sessionStorage, TOKEN, token.value));
}
