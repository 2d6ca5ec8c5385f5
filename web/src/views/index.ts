// THE table of views: what the first part of the URL's path names. Each is a piece of its own.
import type { ComponentType } from "preact";
import { text } from "../text/en.ts";

export interface ViewRow {
  readonly name: keyof typeof text.views;
  readonly load: () => Promise<{ default: ComponentType }>;
}

export const VIEWS: readonly ViewRow[] = [
  { name: "overview", load: () => import("./overview.tsx") },
  { name: "nodes", load: () => import("./nodes.tsx") },
  { name: "gpus", load: () => import("./gpus.tsx") },
  { name: "processes", load: () => import("./processes.tsx") },
  { name: "workloads", load: () => import("./workloads.tsx") },
  { name: "users", load: () => import("./users.tsx") },
  { name: "idle", load: () => import("./idle.tsx") },
  { name: "health", load: () => import("./health.tsx") },
  { name: "events", load: () => import("./events.tsx") },
  { name: "tasks", load: () => import("./tasks.tsx") },
  { name: "vps", load: () => import("./vps.tsx") },
  { name: "api", load: () => import("./api.tsx") },
];
