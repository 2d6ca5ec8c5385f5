// Where GPU time went, who holds GPUs that do nothing, and which GPUs are gone.
import type { JSX } from "preact";
import type { Schemas } from "../api/client.ts";
import { useAsked } from "../api/query.ts";
import { Shown } from "../parts/asked.tsx";
import { Choice, chosen } from "../parts/choice.tsx";
import { type Filter, Filters } from "../parts/filters.tsx";
import { filterParams, namedParams } from "../state/filters.ts";
import { duration, number } from "../parts/format.ts";
import { List, useList } from "../parts/list.tsx";
import { Stack } from "../parts/stack.tsx";
import { href } from "../state/place.ts";
import { windowParams } from "../state/range.ts";
import { text } from "../text/en.ts";
import { idleText as words } from "../text/en/idle.ts";
import { accountColumns, accountHref, holderColumns, missingColumns } from "./idle-columns.tsx";
import { gpuHref } from "../parts/links.ts";
import { secondsOf, sheetOf } from "./ledger.ts";

type Account = Schemas["LedgerAccount"];
type Holder = Schemas["IdleGpu"];
type Missing = Schemas["MissingGpu"];

const EVERY = 60_000;
const TABS = [
  { value: "holders", label: words.tabs.holders },
  { value: "by", label: words.tabs.by },
  { value: "missing", label: words.tabs.missing },
];
const BY = Object.entries(words.by).map(([value, label]) => ({ value, label }));
const PLACE: readonly Filter[] = [
  { name: "node", label: words.filters.node },
  { name: "gpu", label: words.filters.gpu },
  { name: "model", label: words.filters.model },
];
const OWNER: readonly Filter[] = [
  { name: "namespace", label: words.filters.namespace },
  { name: "pod", label: words.filters.pod },
];
const USER: Filter = { name: "user", label: words.filters.user };
const WHAT: Filter = {
  name: "what",
  label: words.filters.what,
  options: Object.entries(words.what),
};
const NOW: Filter = {
  name: "min_idle_now",
  label: words.filters.now,
  options: [["1", words.nowOnly]],
};
const GPU_NAMES = ["node", "gpu", "uuid", "model"];
const ALL_NAMES = [...GPU_NAMES, "namespace", "pod", "user"];
const MISSING_NAMES = [...GPU_NAMES, "namespace", "pod", "what"];

function Ledger(): JSX.Element {
  // What chooses GPUs holds for the bar; what chooses holders does not.
  const params = { ...namedParams(GPU_NAMES), ...windowParams() };
  const asked = useAsked<Account[]>("api/v1/gpu/ledger", params, EVERY);
  return (
    <section aria-labelledby="ledger">
      <h2 id="ledger">{words.ledger}</h2>
      <Shown of={asked}>
        {([row]) => (row ? <Bar row={row} /> : <p class="empty">{words.empty.by}</p>)}
      </Shown>
    </section>
  );
}

function Bar(props: { row: Account }): JSX.Element {
  const { row } = props;
  const sheet = sheetOf(row);
  const total = row.total_seconds ?? 0;
  const each = row.gpus ? total / row.gpus : 0;
  const links: Record<string, string> = {
    idle_held: href(["idle"]),
    unhealthy: href(["health"], { level: "critical" }),
  };
  return (
    <>
      <Stack
        title={words.ledger}
        parts={sheet.parts.map(({ account, hours }) => {
          const percent = total > 0 ? (100 * secondsOf(row, account)) / total : 0;
          const link = links[account];
          return {
            key: account,
            label: text.states[account] ?? account,
            value: secondsOf(row, account),
            text: `${hours.toFixed(1)} h · ${number(percent)} %`,
            ...(link === undefined ? {} : { href: link }),
          };
        })}
      />
      <p class="sum" data-exact={sheet.exact}>
        {words.sum(
          sheet.parts
            .map(({ account, hours }) => `${text.states[account] ?? account} ${hours.toFixed(1)}`)
            .join(" + "),
          sheet.whole.toFixed(1),
        )}{" "}
        ({words.of(row.gpus ?? 0, duration(each))})
      </p>
      <p class="note">
        {words.gaps}{" "}
        {row.cost == null || row.idle_cost == null
          ? words.noCosts
          : words.costs(row.cost.toFixed(2), row.idle_cost.toFixed(2))}
      </p>
    </>
  );
}

function Holders(): JSX.Element {
  const filters = filterParams(ALL_NAMES);
  const asked = useList<Holder>("api/v1/gpu/idle", { ...filters, ...windowParams() }, EVERY);
  const some = Object.keys(filters).length > 0;
  return (
    <>
      <Filters of={[...PLACE, ...OWNER, USER, NOW]} names={ALL_NAMES} />
      <List
        of={asked}
        label={words.tabs.holders}
        columns={holderColumns(asked.meta.null_reasons ?? {})}
        rowKey={(row) =>
          [row.node_name, row.gpu_id, row.uuid, row.mig_uuid, row.namespace, row.pod].join("/")
        }
        rowHref={(row) => gpuHref(row.node_name, row.gpu_id) ?? href(["gpus"])}
        usualSort="-idle_seconds"
        empty={some ? text.list.none : words.empty.holders}
      />
    </>
  );
}

function Accounts(): JSX.Element {
  const by = chosen("by", BY);
  const filters = filterParams(ALL_NAMES);
  const asked = useList<Account>("api/v1/gpu/ledger", { by, ...filters, ...windowParams() }, EVERY);
  return (
    <>
      <Choice name="by" label={words.byLabel} options={BY} drop={["sort"]} />
      <Filters of={[...PLACE, ...OWNER, USER]} names={ALL_NAMES} />
      <List
        of={asked}
        label={`${words.tabs.by} ${by}`}
        columns={accountColumns(by, asked.meta.null_reasons ?? {})}
        rowKey={(row) =>
          [row.node_name, row.gpu_name, row.namespace, row.pod, row.user].map(String).join("/")
        }
        rowHref={(row) => accountHref(row)}
        usualSort="-idle_held_seconds"
        empty={Object.keys(filters).length > 0 ? text.list.none : words.empty.by}
      />
    </>
  );
}

function MissingGpus(): JSX.Element {
  const filters = filterParams(MISSING_NAMES);
  const asked = useList<Missing>("api/v1/gpu/missing", { ...filters, ...windowParams() }, EVERY);
  const some = Object.keys(filters).length > 0;
  return (
    <>
      <Filters of={[...PLACE, ...OWNER, WHAT]} names={MISSING_NAMES} />
      <List
        of={asked}
        label={words.tabs.missing}
        columns={missingColumns(asked.meta.null_reasons ?? {})}
        rowKey={(row) => [row.node_name, row.gpu_id, row.uuid].join("/")}
        rowHref={(row) => href(["events"], row.uuid ? { uuid: row.uuid } : {})}
        usualSort="-missing_since"
        empty={some ? text.list.none : words.empty.missing}
      />
    </>
  );
}

export default function Idle(): JSX.Element {
  const tab = chosen("show", TABS);
  return (
    <>
      <Ledger />
      <h2>{TABS.find((one) => one.value === tab)?.label}</h2>
      <Choice
        name="show"
        label={words.show}
        options={TABS}
        drop={["sort", "by", "what", "min_idle_now"]}
      />
      {tab === "holders" && <Holders />}
      {tab === "by" && <Accounts />}
      {tab === "missing" && <MissingGpus />}
    </>
  );
}
