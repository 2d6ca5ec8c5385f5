// Command lines of gpuctl for a task of a HakuRiver host.
import { shellLine } from "../../parts/shell.ts";

export interface Act {
  readonly act: "show" | "logs" | "kill" | "pause" | "resume";
  readonly line: string | null;
}

// What may still be asked of a task in its state.
const ACTIVE = ["pending", "assigning", "running", "paused", "pending_approval"];

export function isActive(status: string | null | undefined): boolean {
  return ACTIVE.includes(status ?? "");
}

// An id has digits alone; what else claims to be one gets no command line.
export function acts(id: string, status: string | null | undefined, vps: boolean): Act[] {
  const line = (...words: readonly string[]) =>
    /^\d+$/.test(id) ? shellLine("gpuctl", ...words) : null;
  const result: Act[] = [{ act: "show", line: line("status", id) }];
  if (!vps) result.push({ act: "logs", line: line("logs", id, "--tail", "200") });
  if (status === "running") result.push({ act: "pause", line: line("pause", id) });
  if (status === "paused") result.push({ act: "resume", line: line("resume", id) });
  if (isActive(status)) result.push({ act: "kill", line: line("kill", id) });
  return result;
}

// What a task that is not there yet cannot have: null is no unknown then.
export function applies(
  field: string,
  task: { status?: string | null; task_type?: string | null },
): boolean {
  const active = isActive(task.status);
  switch (field) {
    case "completed_at":
    case "exit_code":
      return !active;
    case "error_message":
      return !active && task.status !== "completed" && task.status !== "stopped";
    case "started_at":
      return !["pending", "assigning", "pending_approval", "rejected"].includes(task.status ?? "");
    case "ssh_port":
      return task.task_type === "vps" && task.status === "running";
    case "assigned_node":
      return task.status !== "pending" && task.status !== "pending_approval";
    case "command":
      return task.task_type !== "vps";
    case "target_numa_node_id":
    case "batch_id":
    case "approval_status":
    case "name":
      return false; // a choice that nobody has to make
    default:
      return true;
  }
}
