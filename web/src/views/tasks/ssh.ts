// The command line that reaches a VPS.
import { shellLine } from "../../parts/shell.ts";

// HakuRiver's containers let root in, by key.
const USER = "root";

// Null without a port or a node: it does not run, or the host does not say.
export function sshLine(
  node: string | null | undefined,
  port: number | null | undefined,
): string | null {
  if (!node || port === null || port === undefined) return null;
  if (!Number.isInteger(port) || port < 1 || port > 65535) return null;
  return shellLine("ssh", "-p", String(port), `${USER}@${node}`);
}
