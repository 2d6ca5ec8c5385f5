// Tasks by what became of them, whoever started them.
export const TASK_STATES = [
  "running",
  "waiting",
  "paused",
  "succeeded",
  "failed",
  "stopped",
  "unknown",
] as const;
export type TaskState = (typeof TASK_STATES)[number];

// Kubernetes' phases, and HakuRiver's states, which are of lower case.
const STATE: Record<string, TaskState> = {
  Running: "running",
  Pending: "waiting",
  Succeeded: "succeeded",
  Failed: "failed",
  running: "running",
  pending: "waiting",
  assigning: "waiting",
  pending_approval: "waiting",
  paused: "paused",
  completed: "succeeded",
  failed: "failed",
  killed_oom: "failed",
  lost: "failed",
  killed: "stopped",
  stopped: "stopped",
  rejected: "stopped",
};

export function stateOf(word: string | null | undefined): TaskState {
  return STATE[word ?? ""] ?? "unknown";
}

export type Counts = Record<TaskState, number>;

export function countStates(words: readonly (string | null | undefined)[]): Counts {
  const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Counts;
  for (const word of words) counts[stateOf(word)] += 1;
  return counts;
}

export interface KubernetesTask {
  readonly kind?: string | null;
  readonly job?: string | null;
  readonly phase?: string | null;
}

// A Job stands for its pods.
export function kubernetesCounts(tasks: readonly KubernetesTask[]): Counts {
  return countStates(
    tasks.filter((one) => one.kind === "Job" || one.job == null).map((one) => one.phase),
  );
}

// The words of a state that the routes filter by.
export function wordsOf(state: TaskState, kubernetes: boolean): string[] {
  return Object.entries(STATE)
    .filter(([word, one]) => one === state && /^[A-Z]/.test(word) === kubernetes)
    .map(([word]) => word);
}
