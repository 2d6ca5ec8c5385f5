// Whether the server asks a HakuRiver host (HAKURIVER_URL): found out once, by asking.
import { effect, signal } from "@preact/signals";
import { token } from "../state/prefs.ts";
import { ask, refusalOf } from "./client.ts";

export const HAKU = "api/v1/hakuriver/";
// Null: not known yet.
export const hakuThere = signal<boolean | null>(null);

let begun = false;

export function findHaku(): void {
  if (begun) return;
  begun = true;
  effect(() => {
    void token.value; // another one may be allowed to know
    if (hakuThere.peek() === null) void look();
  });
}

async function look(): Promise<void> {
  try {
    const response = await ask(HAKU + "nodes", { limit: "1", fields: "hostname" });
    if (response.status === 401) await refusalOf(response);
    // A host that does not answer is configured all the same.
    else hakuThere.value = response.status !== 404;
  } catch {
    begun = false; // the server is away: the next view asks again
  }
}
