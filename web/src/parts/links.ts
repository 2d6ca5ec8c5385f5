// Where the page shows what a row speaks of.
import { href } from "../state/place.ts";

type Name = string | null | undefined;

// Of these alone the API finds a node by its name. A `*` it would take for a pattern.
export function isNodeName(node: Name): node is string {
  return typeof node === "string" && /^[A-Za-z0-9._:-]{1,253}$/.test(node);
}

// Undefined: it is not known which GPU that is, or the API does not find it.
export function gpuHref(node: Name, gpu: Name): string | undefined {
  return isNodeName(node) && gpu ? href(["gpus", node, gpu]) : undefined;
}

export function nodeHref(node: Name): string | undefined {
  return isNodeName(node) ? href(["nodes", node]) : undefined;
}

export function whereHref(node: Name, gpu: Name): string | undefined {
  return gpuHref(node, gpu) ?? nodeHref(node);
}

// A mark in a name that turns the direction of text turns that of the name alone.
function apart(name: string): string {
  return /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(name) ? `\u2068${name}\u2069` : name;
}

export function whereText(node: Name, gpu: Name): string {
  const names = [node, gpu].filter((one) => one);
  return names.map((one) => apart(one ?? "")).join(" / ") || "–";
}
