// THE catalogue: every text of the page. A view's own texts stand in a file of their own here.
export const text = {
  product: "GPU Monitoring",
  views: {
    overview: "Overview",
    nodes: "Nodes",
    gpus: "GPUs",
    processes: "Processes",
    workloads: "Workloads",
    users: "Users",
    idle: "Idle and waste",
    health: "Health",
    events: "Events",
    tasks: "Tasks",
    vps: "VPS",
    api: "API",
  },
  skip: "Skip to the content",
  unknown: "unknown",
  none: "none",
  loading: "Loading…",
  // Why a value is not there: the reasons of docs/API.md.
  reasons: {
    not_exported: "no exporter here offers it",
    not_supported: "the device cannot tell",
    exporter_down: "the exporter that showed it is down",
    stale: "only old values of it are there",
    invalid_value: "what was measured is impossible",
    conflict: "two sources contradict each other",
    query_failed: "the query for it failed",
    hidden: "hidden by the server's configuration",
  } as Record<string, string>,
  unknownBecause: (reason: string) => `unknown: ${reason}`,
  states: {
    busy: "busy",
    idle_held: "held, idle",
    free: "free",
    unhealthy: "unhealthy",
    unknown: "unknown",
  } as Record<string, string>,
  levels: {
    healthy: "healthy",
    degraded: "degraded",
    critical: "critical",
    unknown: "unknown",
  } as Record<string, string>,
  freshness: {
    old: (age: string) => `data is ${age} old`,
    past: (when: string) => `as of ${when}`,
    none: "no data yet",
    pause: "Pause",
    resume: "Resume",
    paused: "paused",
  },
  banner: {
    away: (why: string, age: string | null) =>
      age === null
        ? `Prometheus gives nothing: ${why}. Nothing is shown until it does.`
        : `Prometheus gives nothing new: ${why}. What you see is ${age} old.`,
    hakuAway: (why: string, age: string | null) =>
      age === null
        ? `The HakuRiver host gives nothing: ${why}.`
        : `The HakuRiver host gives nothing new: ${why}. What you see is ${age} old.`,
    unreachable: (age: string | null) =>
      age === null
        ? "The server does not answer."
        : `The server does not answer. What you see is ${age} old.`,
    stale: (age: string) => `These are old values: the last refresh failed. They are ${age} old.`,
    partial: "Some queries failed: what they would have told is marked unknown.",
    past: (when: string) => `You are looking at ${when}.`,
    toNow: "Back to now",
  },
  token: {
    title: "This server asks for a token",
    help: "It is the first line of the file that API_BEARER_TOKEN_FILE names. It is kept until this tab is closed.",
    field: "Token",
    enter: "Enter",
    refused: "The server refused this token.",
  },
  range: {
    label: "Time",
    at: "At",
    now: "Now",
    own: "as chosen",
    fromTo: (from: string, to: string | null) =>
      to === null ? `${from} till now` : `${from} – ${to}`,
  },
  list: {
    more: (shown: number, all: number) =>
      `The first ${shown} of ${all} rows: filter to see the others.`,
    none: "Nothing passes these filters.",
    open: "Open",
  },
  theme: { label: "Theme", system: "System", light: "Light", dark: "Dark" },
  table: {
    rows: (n: number) => (n === 1 ? "1 row" : `${n} rows`),
    columns: "Columns",
    csv: "CSV",
    empty: "There is nothing here.",
    sortBy: (title: string) => `Sort by ${title}`,
    usualColumns: "Usual columns",
  },
  failed: {
    title: "This cannot be shown",
    again: "Try again",
  },
  keys: {
    title: "Keys",
    close: "Close",
    rows: [
      ["/", "Filter"],
      ["j k", "Next row, row before"],
      ["Enter", "Open the row"],
      ["g then a letter", "Go to a view"],
      ["p", "Pause, resume"],
      ["?", "These keys"],
      ["Esc", "Close"],
    ] as readonly (readonly [string, string])[],
  },
  notFound: "There is no such view.",
};
