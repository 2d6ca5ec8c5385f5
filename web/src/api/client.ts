// Asks our own server. Every answer is {success, data, message, error}; see docs/API.md.
import { token, tokenWanted } from "../state/prefs.ts";
import { asking, heard } from "../state/news.ts";
import type { components } from "./schema.d.ts";

export type Schemas = components["schemas"];
export type GpuMetrics = Schemas["GpuMetrics"];
export type GpuProcess = Schemas["GpuProcess"];
export type NullReasons = Record<string, string>;

export interface Meta {
  readonly as_of?: string;
  readonly stale?: boolean;
  readonly partial?: boolean;
  readonly total?: number;
  readonly limit?: number | null;
  readonly offset?: number;
  readonly sources?: readonly string[];
  readonly null_reasons?: NullReasons;
  readonly window?: {
    readonly start: string;
    readonly end: string;
    readonly step_seconds: number;
  };
}

export interface Answer<T> {
  readonly data: T;
  readonly meta: Meta;
  readonly warnings: readonly string[];
}

export type Params = Record<string, string | number | boolean | readonly string[] | undefined>;

export class ApiError extends Error {
  readonly status: number; // 0: no answer came
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// Where the page is. A worker has no document: it is told.
let base = globalThis.document?.baseURI ?? "";
export function setBase(url: string): void {
  base = url;
}

// `path` is below the page: "api/v1/gpu/metrics".
export function urlOf(path: string, params: Params = {}): string {
  const url = new URL(path, base);
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const one of value) url.searchParams.append(key, one);
    else url.searchParams.set(key, String(value));
  }
  return url.href;
}

export async function ask(
  path: string,
  params: Params,
  signal?: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  const shown =
    token.value === null ? headers : { ...headers, Authorization: "Bearer " + token.value };
  try {
    return await fetch(urlOf(path, params), { headers: shown, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "the server does not answer");
  }
}

export async function refusalOf(response: Response): Promise<ApiError> {
  if (response.status === 401) tokenWanted.value = true;
  let body: { error?: unknown; code?: unknown } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    /* a proxy's page */
  }
  const message = typeof body.error === "string" ? body.error : `status ${response.status}`;
  return new ApiError(response.status, typeof body.code === "string" ? body.code : "", message);
}

// The code of what made an answer stale: its warning ends with it.
export function staleCode(warnings: readonly string[]): string | null {
  for (const one of warnings) {
    const match = /gave nothing newer \((\w+)\)/.exec(one);
    if (match !== null) return match[1] ?? null;
  }
  return null;
}

// Tells all views how it went with what is asked of `path`.
export async function tell<T>(
  path: string,
  params: Params,
  asked: Promise<Answer<T>>,
): Promise<Answer<T>> {
  const source = path.startsWith("api/v1/hakuriver/") ? "hakuriver" : "prometheus";
  const what = `${path} ${String(params["metric"] ?? "")}`;
  const here = asking();
  try {
    const answer = await asked;
    heard(answer.meta, null, source, what, staleCode(answer.warnings), here);
    return answer;
  } catch (error) {
    if (error instanceof ApiError) heard(null, error, source, what, null, here);
    throw error;
  }
}

async function read<T>(path: string, params: Params, signal?: AbortSignal): Promise<Answer<T>> {
  const response = await ask(path, params, signal);
  if (!response.ok) throw await refusalOf(response);
  const body = (await response.json()) as { data: T; meta?: Meta; warnings?: string[] };
  if (token.value !== null || tokenWanted.value) tokenWanted.value = false;
  return { data: body.data, meta: body.meta ?? {}, warnings: body.warnings ?? [] };
}

// Throws an ApiError, or what an abort throws. `quiet`: whoever asks shows by itself how it went.
export function get<T>(
  path: string,
  params: Params = {},
  signal?: AbortSignal,
  quiet = false,
): Promise<Answer<T>> {
  const answer = read<T>(path, params, signal);
  return quiet ? answer : tell(path, params, answer);
}
