// What tasks of a node ask for together.

export interface Sum {
  readonly value: number | null; // null: no task says it
  readonly known: number; // tasks that say it
  readonly all: number;
}

// Of those that are known; no task asks for nothing.
export function sumOf(values: readonly (number | null | undefined)[]): Sum {
  let value = 0;
  let known = 0;
  for (const one of values) {
    if (one === null || one === undefined) continue;
    value += one;
    known += 1;
  }
  const all = values.length;
  return { value: known === 0 && all > 0 ? null : value, known, all };
}

// In percent; null where either is not known or there is nothing to share.
export function shareOf(part: number | null, whole: number | null | undefined): number | null {
  if (part === null || whole === null || whole === undefined || whole <= 0) return null;
  return (100 * part) / whole;
}

// Pods take what they ask for until they have ended. A Job takes nothing beside its pods.
export function takes(task: { kind?: string | null; phase?: string | null }): boolean {
  return task.kind === "Pod" && task.phase !== "Succeeded" && task.phase !== "Failed";
}
