// The API: every route that the server has, and a form to try each.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, ask, refusalOf, urlOf } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { here, param, place, setParams } from "../state/place.ts";
import { token } from "../state/prefs.ts";
import { words } from "../text/en/api.ts";
import { type ApiRoute, type ListedRoute, type OpenApi, routesOf } from "./api/doc.ts";
import { RouteForm } from "./api/form.tsx";
import "../style/api.css";
import "../style/tasks.css";

interface Document {
  readonly doc?: OpenApi;
  readonly problem?: string;
}

function useDocument(): Document {
  const [found, setFound] = useState<Document>({});
  const shown = token.value;
  useEffect(() => {
    const abort = new AbortController();
    const read = async () => {
      try {
        const response = await ask("api/openapi.json", {}, abort.signal);
        if (!response.ok) throw await refusalOf(response);
        setFound({ doc: (await response.json()) as OpenApi });
      } catch (error) {
        if (abort.signal.aborted) return;
        setFound({ problem: error instanceof ApiError ? error.message : String(error) });
      }
    };
    void read();
    return () => abort.abort();
  }, [shown]);
  return found;
}

export default function Api(): JSX.Element {
  const listed = useAsked<ListedRoute[]>("api", {}, 0);
  const { doc, problem } = useDocument();
  return (
    <Shown of={listed}>
      {(routes) => (
        <>
          {problem !== undefined && <p class="kept">{words.noDocument(problem)}</p>}
          <Both listed={routes} doc={doc} />
        </>
      )}
    </Shown>
  );
}

function Both(props: { listed: readonly ListedRoute[]; doc: OpenApi | undefined }): JSX.Element {
  const routes = useMemo(() => routesOf(props.listed, props.doc), [props.listed, props.doc]);
  const open = routes.find((route) => route.path === param("route"));
  return (
    <div class={open ? "api open" : "api"}>
      <RouteList routes={routes} open={open?.path} />
      <div class="api-route">
        {open === undefined ? (
          <p class="muted">
            {words.choose} <a href={urlOf("api/openapi.json")}>{words.document}</a>
          </p>
        ) : (
          <RouteForm key={`${open.path} ${open.params.length}`} route={open} />
        )}
      </div>
    </div>
  );
}

// A route's parameters are those of no other.
function linkTo(route: string): string {
  const patch: Record<string, string | null> = { route };
  for (const name of place.value.params.keys()) if (name.startsWith("p.")) patch[name] = null;
  return here(patch);
}

const TAGS = ["gpu", "service", "health", "debug", ""];

function RouteList(props: { routes: readonly ApiRoute[]; open: string | undefined }): JSX.Element {
  const q = (param("q") ?? "").toLowerCase();
  const found = props.routes.filter((route) =>
    `${route.path} ${route.summary}`.toLowerCase().includes(q),
  );
  return (
    <div class="api-list">
      <label class="filter">
        <span>{words.filter}</span>
        <input
          type="search"
          data-filter=""
          value={param("q") ?? ""}
          onInput={(event) => setParams({ q: event.currentTarget.value || null })}
        />
      </label>
      {found.length === 0 && <p class="muted">{words.none}</p>}
      {TAGS.map((tag) => {
        const mine = found.filter((route) =>
          tag === "" ? !TAGS.slice(0, -1).includes(route.tag) : route.tag === tag,
        );
        if (mine.length === 0) return null;
        return (
          <section key={tag} aria-label={words.tags[tag]}>
            <h2>{words.tags[tag]}</h2>
            <ul>
              {mine.map((route) => (
                <li key={route.path}>
                  <a
                    href={linkTo(route.path)}
                    aria-current={route.path === props.open ? "true" : undefined}
                  >
                    <code>{route.path}</code>
                  </a>
                  <span class="muted">{route.summary}</span>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
