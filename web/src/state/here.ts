// Parts of the URL that views share: links within a view, and the API's filters.
import { formatPlace, type Patch, patched, place, setParams } from "./place.ts";

// The link to this view with other parameters.
export function here(patch: Patch): string {
  const { path, params } = place.value;
  return formatPlace(path, patched(params, patch));
}

// Of the URL, with the names that the API has for them; one may be given several times.
export function filterParams(names: readonly string[]): Record<string, readonly string[]> {
  const result: Record<string, readonly string[]> = {};
  for (const name of names) {
    const values = place.value.params.getAll(name).filter((value) => value !== "");
    if (values.length > 0) result[name] = values;
  }
  return result;
}

// "a, b" as people write it; the API wants one parameter for each.
export function splitValues(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

export function setFilter(name: string, text: string): void {
  setParams({ [name]: splitValues(text) });
}
