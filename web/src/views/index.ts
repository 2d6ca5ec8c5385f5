// THE table of views: what the first part of the URL's path names. Each is a piece of its own.
import type { ComponentType } from "preact";
import { text } from "../text/en.ts";

export interface ViewRow {
  readonly name: keyof typeof text.views;
  readonly load: () => Promise<{ default: ComponentType }>;
}

export const VIEWS: readonly ViewRow[] = [
  { name: "overview", load: () => import("./overview.tsx") },
  { name: "workloads", load: () => import("./workloads.tsx") },
  { name: "users", load: () => import("./users.tsx") },
  { name: "idle", load: () => import("./idle.tsx") },
  { name: "health", load: () => import("./health.tsx") },
  { name: "events", load: () => import("./events.tsx") },
  { name: "gpus", load: () => import("./gpus.tsx") },
];
