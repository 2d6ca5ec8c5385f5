// The API's filters in the URL, by the names that the API has for them.
import { place, setParams } from "./place.ts";

type Values = Record<string, readonly string[]>;

const BOUND = /^(min|max)_/;

function valuesOf(wanted: (name: string) => boolean): Values {
  const result: Record<string, readonly string[]> = {};
  for (const name of new Set(place.value.params.keys())) {
    if (!wanted(name)) continue;
    const values = place.value.params.getAll(name).filter((value) => value !== "");
    if (values.length > 0) result[name] = values;
  }
  return result;
}

// Of what these are alone; one may be given several times.
export function namedParams(names: readonly string[]): Values {
  return valuesOf((name) => names.includes(name));
}

// Of what these are, and every bound of a number: lists of GPUs take any.
export function filterParams(names: readonly string[]): Values {
  return valuesOf((name) => names.includes(name) || BOUND.test(name));
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
