// What this server has: it says so itself, and nothing is asked in vain.
import { computed, effect, signal } from "@preact/signals";
import { token } from "../state/prefs.ts";
import { get } from "./client.ts";

export const HAKU = "api/v1/hakuriver/";

// Null: not known yet.
const features = signal<readonly string[] | null>(null);
const has = (name: string) => computed(() => features.value?.includes(name) ?? null);
// HAKURIVER_URL is set; DEBUG_ENDPOINTS is.
export const hakuThere = has("hakuriver");
export const debugThere = has("debug");

let begun = false;

export function findFeatures(): void {
  if (begun) return;
  begun = true;
  effect(() => {
    void token.value; // another one may be allowed to know
    if (features.peek() === null) void look();
  });
}

async function look(): Promise<void> {
  try {
    const { data } = await get<{ features?: readonly string[] }>("./");
    features.value = data.features ?? [];
  } catch {
    begun = false; // the server is away: the next view asks again
  }
}
