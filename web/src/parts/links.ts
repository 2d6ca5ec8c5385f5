// Where the page shows what a row speaks of.
import { href } from "../state/place.ts";

type Name = string | null | undefined;

// Undefined: it is not known which GPU that is.
export function gpuHref(node: Name, gpu: Name): string | undefined {
  return node && gpu ? href(["gpus", node, gpu]) : undefined;
}

export function nodeHref(node: Name): string | undefined {
  return node ? href(["nodes", node]) : undefined;
}

export function whereHref(node: Name, gpu: Name): string | undefined {
  return gpuHref(node, gpu) ?? nodeHref(node);
}

export function whereText(node: Name, gpu: Name): string {
  return [node, gpu].filter((one) => one).join(" / ") || "–";
}
