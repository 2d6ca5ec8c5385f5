// The form of one route. What is filled in is in the URL; it is sent when somebody says so.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { urlOf } from "../../api/client.ts";
import { Command } from "../../parts/command.tsx";
import { setFilter } from "../../state/filters.ts";
import { place, setParams } from "../../state/place.ts";
import { token } from "../../state/prefs.ts";
import { words } from "../../text/en/api.ts";
import { curlLine } from "./answer.ts";
import { type ApiParam, type ApiRoute, isBound, requestOf, type Values } from "./doc.ts";
import { Outcome, useSend } from "./send.tsx";

function valuesOf(route: ApiRoute): Values {
  const values: Record<string, readonly string[]> = {};
  for (const { name } of route.params) {
    const given = place.value.params.getAll("p." + name);
    if (given.length > 0) values[name] = given;
  }
  return values;
}

export function RouteForm(props: { route: ApiRoute }): JSX.Element {
  const { route } = props;
  const values = valuesOf(route);
  const request = requestOf(route, values);
  const url = urlOf(request.path, request.query);
  // Bounds that the link came with stand with the others: nobody would look for them.
  const [set] = useState(() => new Set(Object.keys(values)));
  const bounds = route.params.filter((param) => isBound(param) && !set.has(param.name));
  const others = route.params.filter((param) => !bounds.includes(param));
  const { outcome, send, stop } = useSend();
  const blocked = request.missing.length > 0;
  return (
    <>
      <h2>
        <code>GET {route.path}</code>
      </h2>
      <p>{route.summary}</p>
      {!route.get && <p class="kept">{words.postOnly}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!blocked && route.get) send(request);
        }}
      >
        <h3>{words.parameters}</h3>
        {route.params.length === 0 && <p class="muted">{words.noParameters}</p>}
        <div class="api-params">
          {others.map((param) => (
            <ParamInput key={param.name} param={param} given={values[param.name]} />
          ))}
        </div>
        {bounds.length > 0 && (
          <Bounds count={bounds.length}>
            {bounds.map((param) => (
              <ParamInput key={param.name} param={param} given={values[param.name]} />
            ))}
          </Bounds>
        )}
        <Command title={words.url} line={url} />
        <Command title={words.curl} line={curlLine(url, token.value !== null)} />
        {token.value !== null && <p class="muted">{words.token}</p>}
        <p>
          <button type="submit" class="main" disabled={blocked || !route.get || outcome.sending}>
            {outcome.sending ? words.sending : words.send}
          </button>{" "}
          {outcome.sending && (
            <button type="button" onClick={stop}>
              {words.stop}
            </button>
          )}{" "}
          {blocked && <span class="muted">{words.missing(request.missing.join(", "))}</span>}
        </p>
      </form>
      <Outcome of={outcome} />
    </>
  );
}

// Ninety inputs are made when they are looked at.
function Bounds(props: { count: number; children: JSX.Element[] }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.bounds(props.count)}</summary>
      {open && <div class="api-params">{props.children}</div>}
    </details>
  );
}

// A value that is not among the choices, as of an old link, is shown all the same.
function ChoiceInput(props: {
  param: ApiParam;
  given: string | undefined;
  named: string;
  help: string;
}): JSX.Element {
  const { param, given, named } = props;
  // "" is a value of its own here: `?verbose`.
  const options = param.options.map((one) => (one === "" ? "=" : one));
  const value = given === undefined ? "" : given === "" ? "=" : given;
  return (
    <select
      value={value}
      aria-describedby={props.help}
      onChange={(event) => {
        const chosen = event.currentTarget.value;
        setParams({ [named]: chosen === "" ? null : chosen === "=" ? "" : chosen });
      }}
    >
      <option value="">{words.notSet}</option>
      {value !== "" && !options.includes(value) && <option value={value}>{value}</option>}
      {options.map((one) => (
        <option key={one} value={one}>
          {one === "=" ? '""' : one}
        </option>
      ))}
    </select>
  );
}

function ParamInput(props: { param: ApiParam; given: readonly string[] | undefined }): JSX.Element {
  const { param } = props;
  const named = "p." + param.name;
  const help = `help-${param.name}`;
  const number = param.kind === "integer" || param.kind === "number";
  const many = param.kind === "many";
  const value = (props.given ?? []).join(", ");
  return (
    <div class="api-param">
      <label>
        <span class="api-name">
          <code>{param.name}</code>
          {param.required && <small> {words.required}</small>}
        </span>
        {param.kind === "choice" ? (
          <ChoiceInput param={param} given={props.given?.[0]} named={named} help={help} />
        ) : (
          <input
            type={(number ? "number" : "text") as "number"}
            {...(number ? { step: param.kind === "integer" ? 1 : "any" } : {})}
            {...(param.least === undefined ? {} : { min: param.least })}
            {...(param.most === undefined ? {} : { max: param.most })}
            value={value}
            required={param.required}
            spellcheck={false}
            autocomplete="off"
            title={many ? words.many : undefined}
            aria-describedby={help}
            onChange={(event) => {
              const typed = event.currentTarget.value;
              if (many) setFilter(named, typed);
              else setParams({ [named]: typed || null });
            }}
          />
        )}
      </label>
      <small id={help} class="muted">
        {param.help}
      </small>
    </div>
  );
}
