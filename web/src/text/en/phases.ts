// States of tasks, nodes and exporters that read better than the API's words.
export const words: Record<string, string> = {
  killed_oom: "killed, out of memory",
  pending_approval: "pending approval",
};
