/** Tabs by state, search, and the filters of the list. All of it is in the URL. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { WorkerSummary } from "../../../../workers/api/contract.ts";
import { ISSUE_KINDS } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { count } from "../../lib/format.ts";
import { KIND_LABELS, NOBODY, SORTS, TABS, versionOption } from "../../lib/issues.ts";
import type { ListMeta } from "../../state/issue-list.ts";
import { query, setQuery } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";
import { session } from "../../state/session.ts";
import { Icon } from "../icons.tsx";
import { type Option, SelectFilter } from "../select-filter.tsx";

/** Workers and versions seen in this time can be chosen. */
const KNOWN_RANGE = { from: "-30d", to: "now" };
/** A word is searched for when one stops typing for this long. */
const TYPING_MS = 250;

export function Tabs({ current, meta }: { current: string; meta: Pick<ListMeta, "states" | "noise"> | undefined }) {
  const params = new URLSearchParams(window.location.search);
  const href = (id: string) => {
    params.delete("kind");
    if (id === "open") params.delete("state");
    else params.set("state", id);
    return `/issues${params.size === 0 ? "" : `?${params}`}`;
  };
  return (
    <nav class="tabs issue-tabs" aria-label="States">
      {TABS.map((t) => (
        <a
          key={t.id}
          href={href(t.id)}
          class={t.id === "noise" ? "apart" : ""}
          title={t.id === "noise" ? "Known noise of the platform and the network: kept, told to nobody" : undefined}
          aria-current={t.id === current ? "page" : undefined}
        >
          {t.label}
          <span class="tab-count">{meta === undefined ? "" : count(t.count(meta))}</span>
        </a>
      ))}
    </nav>
  );
}

function Search() {
  const current = query.value.q ?? "";
  const [text, setText] = useState(current);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setText(current), [current]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (value: string, replace: boolean) => {
    clearTimeout(timer.current);
    setQuery({ q: value.trim() }, replace);
  };
  return (
    <search class="issue-search">
      <Icon name="search" />
      <input
        id="issue-search"
        type="search"
        aria-label="Search issues"
        placeholder="Type, message, function or #id"
        value={text}
        onInput={(e) => {
          const { value } = e.currentTarget;
          setText(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => search(value, true), TYPING_MS);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter") search(text, false);
          if (e.key !== "Enter" && e.key !== "Escape") return;
          e.preventDefault();
          e.currentTarget.blur();
        }}
      />
    </search>
  );
}

function versionOptions(workers: WorkerSummary[], script: string): Option[] {
  return workers
    .filter((w) => script === "" || w.script === script)
    .flatMap((w) => w.versions.filter((v) => v.id !== "").map((v) => ({ w: w.script, v })))
    .sort((a, b) => b.v.firstSeen - a.v.firstSeen)
    .map(({ w, v }) => ({ value: v.id, label: script === "" ? `${w} ${versionOption(v)}` : versionOption(v) }));
}

export function Filters({ people }: { people: string[] }) {
  const known = useResource("known", (signal) => api.overview(KNOWN_RANGE, signal));
  const workers = known.data?.workers ?? [];
  const versions = versionOptions(workers, query.value.script ?? "");
  const me = session.value?.actor ?? "";
  const assignees = [...new Set([me, ...people])].filter((who) => who !== "");
  const sort = query.value.sort ?? "last_seen";
  return (
    <div class="issue-filters">
      <Search />
      <SelectFilter name="script" label="Worker" options={workers.map((w) => ({ value: w.script, label: w.script }))} />
      <SelectFilter name="version" label="Seen in" options={versions} />
      <SelectFilter name="new_in" label="New in" options={versions} />
      <SelectFilter
        name="assignee"
        label="Assignee"
        options={[
          { value: NOBODY, label: "nobody" },
          ...assignees.map((who) => ({ value: who, label: who === me ? `${who} (you)` : who })),
        ]}
      />
      {query.value.state !== "noise" && (
        <SelectFilter
          name="kind"
          label="Kind"
          options={ISSUE_KINDS.filter((k) => k !== "noise").map((k) => ({ value: k, label: KIND_LABELS[k].short }))}
        />
      )}
      <span class="grow" />
      <label class="filter">
        <span class="sr">Sort by</span>
        <select
          value={sort}
          onChange={(e) =>
            setQuery({ sort: e.currentTarget.value === "last_seen" ? undefined : e.currentTarget.value })
          }
        >
          {SORTS.map((s) => (
            <option key={s.id} value={s.id}>
              {s.id === sort ? `Sort: ${s.label.toLowerCase()}` : s.label}
            </option>
          ))}
        </select>
        <Icon name="chevron" />
      </label>
    </div>
  );
}
