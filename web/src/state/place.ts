// Where the page is: the fragment of its URL, "#/gpus/node-1/0?model=A100*&window=6h". All that
// somebody may want to send to a colleague is in it.
import { computed, signal } from "@preact/signals";

export type Patch = Record<string, string | readonly string[] | null | undefined>;

export interface Place {
  readonly path: readonly string[];
  readonly params: URLSearchParams;
}

// These go along from view to view: what time is looked at.
const SHARED = ["window", "start", "end", "at"];

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function parsePlace(hash: string): Place {
  const text = hash.replace(/^#?\/?/, "");
  const question = text.indexOf("?");
  const path = (question < 0 ? text : text.slice(0, question)).split("/").filter((part) => part);
  const params = new URLSearchParams(question < 0 ? "" : text.slice(question + 1));
  return { path: path.map(decoded), params };
}

export function formatPlace(path: readonly string[], params: URLSearchParams): string {
  const query = params.toString();
  return "#/" + path.map(encodeURIComponent).join("/") + (query ? "?" + query : "");
}

export function patched(params: URLSearchParams, patch: Patch): URLSearchParams {
  const result = new URLSearchParams(params);
  for (const [key, value] of Object.entries(patch)) {
    result.delete(key);
    if (value === null || value === undefined) continue;
    for (const one of typeof value === "string" ? [value] : value) result.append(key, one);
  }
  return result;
}

export const place = signal<Place>(parsePlace(globalThis.location?.hash ?? ""));
export const view = computed(() => place.value.path[0] ?? "overview");

export function param(name: string): string | null {
  return place.value.params.get(name);
}

// The link to another view; the time that is looked at goes along.
export function href(path: readonly string[], patch: Patch = {}): string {
  const params = new URLSearchParams();
  for (const name of SHARED) {
    const value = place.value.params.get(name);
    if (value !== null) params.set(name, value);
  }
  return formatPlace(path, patched(params, patch));
}

// The link to this view with other parameters.
export function here(patch: Patch): string {
  return formatPlace(place.value.path, patched(place.value.params, patch));
}

export function go(path: readonly string[], patch: Patch = {}): void {
  location.hash = href(path, patch);
}

// This view with other parameters: a step back returns to it ("push"), or does not.
export function setParams(patch: Patch, how: "push" | "replace" = "replace"): void {
  const { path, params } = place.value;
  const hash = formatPlace(path, patched(params, patch));
  if (hash === location.hash) return;
  if (how === "push") history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  place.value = parsePlace(hash);
}

export function followUrl(): void {
  // "/gpu" is where "/gpu/" is: links of the one would load the other anew.
  const base = new URL(document.baseURI).pathname;
  if (location.pathname + "/" === base)
    history.replaceState(null, "", base + location.search + location.hash);
  const read = () => {
    place.value = parsePlace(location.hash);
  };
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
}
