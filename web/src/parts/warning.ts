// What a warning is about, whichever list it was met on and at however many instants.
function matterOf(warning: string): string {
  return warning.replace(/^(gpus|processes): /, "").replace(/ \(at \d+ of \d+ instants\)$/, "");
}

// The first warning of each matter.
export function byMatter(warnings: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const one of warnings) {
    const matter = matterOf(one);
    if (!found.has(matter)) found.set(matter, one);
  }
  return found;
}
