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
  // Why Prometheus, or another host, gave nothing: the codes of docs/API.md.
  codes: {
    upstream_unreachable: "it cannot be reached",
    upstream_tls: "its certificate is not trusted",
    upstream_auth: "it refuses this server",
    upstream_not_prometheus: "what answers there is not Prometheus",
    upstream_invalid: "its answer cannot be used",
    upstream_too_large: "its answer is too large",
    upstream_error: "it answers with an error",
    upstream_rejected_query: "it refuses the queries",
    upstream_partial: "only a part of the queries was answered",
    upstream_not_ready: "it is not ready",
    upstream_throttled: "it asks for fewer queries",
    upstream_timeout: "it does not answer in time",
    upstream_query_timeout: "its queries take too long",
    overloaded: "this server is overloaded",
    draining: "this server is ending",
  } as Record<string, string>,
  noReason: "the last refresh failed",
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
    whose: { prometheus: "Prometheus", hakuriver: "The HakuRiver host" },
    away: (who: string, why: string) =>
      `${who} gives nothing: ${why}. Nothing is shown until it does.`,
    // Some views show what they had, others that there is no answer.
    old: (who: string, why: string, since: string, age: string) =>
      `${who} gives nothing new since ${since}: ${why}. What is still shown is ${age} old.`,
    unreachable: (age: string | null) =>
      age === null
        ? "The server does not answer."
        : `The server does not answer. What you see is ${age} old.`,
    some: (why: string) => `A part of what is asked for did not come: ${why}.`,
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
