// Command lines of kubectl for a task. "pod/NAME" is never read as an option, whatever the name.
import { shellLine } from "../../parts/shell.ts";

export interface TaskName {
  readonly kind: string; // "Pod", "Job"
  readonly namespace: string;
  readonly name: string;
}

// "ml-team/train": a name of Kubernetes has no "/".
export function parseTask(text: string): { namespace: string; name: string } | null {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) return null;
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function lineOf(task: TaskName, ...words: readonly string[]): string | null {
  const what = `${task.kind === "Job" ? "job" : "pod"}/${task.name}`;
  return shellLine("kubectl", ...words, `--namespace=${task.namespace}`, what);
}

export function logsLine(task: TaskName, before = false): string | null {
  const last = before ? ["--previous"] : ["--tail=200"];
  return lineOf(task, "logs", "--all-containers", ...last);
}

export function describeLine(task: TaskName): string | null {
  return lineOf(task, "describe");
}

export function deleteLine(task: TaskName): string | null {
  return lineOf(task, "delete");
}
