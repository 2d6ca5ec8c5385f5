// What the OpenAPI document says of routes, as forms need it.

export interface ListedRoute {
  readonly path: string;
  readonly methods: readonly string[];
  readonly summary: string;
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

interface DocParam {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly DocParam[];
}

export interface OpenApi {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface ApiParam {
  readonly name: string;
  readonly inPath: boolean;
  readonly required: boolean;
  readonly help: string;
  readonly kind: "choice" | "integer" | "number" | "many" | "text";
  readonly options: readonly string[];
  readonly least?: number;
  readonly most?: number;
}

export interface ApiRoute {
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly get: boolean;
  readonly params: readonly ApiParam[];
}

function paramOf(param: DocParam): ApiParam {
  const schema = param.schema ?? {};
  const options = (schema.enum ?? []).map(String);
  const kind =
    options.length > 0
      ? "choice"
      : schema.type === "array"
        ? "many"
        : schema.type === "integer" || schema.type === "number"
          ? schema.type
          : "text";
  return {
    name: param.name,
    inPath: param.in === "path",
    required: param.required ?? false,
    help: param.description ?? "",
    kind,
    options,
    ...(schema.minimum === undefined ? {} : { least: schema.minimum }),
    ...(schema.maximum === undefined ? {} : { most: schema.maximum }),
  };
}

// The routes that the server lists, with what the document says of them; those that only the
// document has too.
export function routesOf(listed: readonly ListedRoute[], doc: OpenApi | undefined): ApiRoute[] {
  const paths = doc?.paths ?? {};
  const known = new Set(listed.map((route) => route.path));
  const others = Object.keys(paths).filter((path) => !known.has(path));
  const all = [
    ...listed,
    ...others.map((path) => ({
      path,
      methods: Object.keys(paths[path] ?? {}).map((one) => one.toUpperCase()),
      summary: "",
    })),
  ];
  return all.map((route) => {
    const operation = paths[route.path]?.["get"];
    return {
      path: route.path,
      summary: route.summary || (operation?.summary ?? ""),
      tag: operation?.tags?.[0] ?? "",
      get: route.methods.includes("GET"),
      params: (operation?.parameters ?? [])
        .filter((param) => param.in === "path" || param.in === "query")
        .map(paramOf),
    };
  });
}

// Bounds of number fields are many, and stand apart.
export function isBound(param: ApiParam): boolean {
  return !param.inPath && /^(min|max)_/.test(param.name);
}

export type Values = Readonly<Record<string, readonly string[]>>;

export interface Request {
  readonly path: string; // below the page, without "/" before it
  readonly query: Record<string, readonly string[]>;
  readonly missing: readonly string[]; // parameters without which it cannot be asked
}

export function requestOf(route: ApiRoute, values: Values): Request {
  let path = route.path.replace(/^\//, "");
  const query: Record<string, readonly string[]> = {};
  const missing: string[] = [];
  for (const param of route.params) {
    // A flag may be set by being there: its value is "".
    const flag = param.kind === "choice" && param.options.includes("");
    const given = (values[param.name] ?? []).filter((value) => flag || value !== "");
    if (given.length === 0) {
      if (param.required) missing.push(param.name);
      continue;
    }
    if (param.inPath) path = path.replace(`{${param.name}}`, encodeURIComponent(given[0] ?? ""));
    else query[param.name] = given;
  }
  return { path, query, missing };
}
