/** Issues: what is broken, newest first, to be gone through by keys. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { IssueSummary } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { BulkBar, canMerge } from "../components/issues/bulk-bar.tsx";
import { Filters, Tabs } from "../components/issues/filters.tsx";
import { IssueTable } from "../components/issues/issue-table.tsx";
import { type Asked, applyState, TriageDialog } from "../components/issues/triage-dialogs.tsx";
import { ErrorState, Progress, Snippet, StaleNotice, TAIL_LINE } from "../components/states.tsx";
import { FILTERS, listedIn, listParams } from "../lib/issues.ts";
import { issueChanges } from "../state/issue-changes.ts";
import { useIssueList } from "../state/issue-list.ts";
import { lastOpened, rememberOrder } from "../state/issue-order.ts";
import { useShortcuts } from "../state/keys.ts";
import { tick } from "../state/live.ts";
import { navigate, query, range, setQuery, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { toast } from "../state/toasts.ts";
import { undoNewest } from "../state/triage.ts";
import "../styles/issues.css";

/** Under Noise the list's own counts are of noise alone. */
function useTabCounts(tab: string) {
  const { state: _, kind: __, ...rest } = listParams({ ...query.value, state: "open", kind: "" });
  const key = tab === "noise" ? JSON.stringify([rest, range.value]) : "";
  return useResource(
    key,
    async (signal) => (key === "" ? undefined : issuesApi.list(rest, range.value, 1, undefined, signal)),
    tick.value,
    issueChanges.value,
  ).data;
}

export default function Issues() {
  const tab = query.value.state ?? "open";
  const params = useMemo(() => listParams(query.value), [query.value]);
  const refresh = tick.value + issueChanges.value;
  const { list, fresh } = useIssueList(params, range.value, refresh);
  const others = useTabCounts(tab);
  const [activeId, setActiveId] = useState<number | undefined>(() => lastOpened()?.id);
  const [fallback, setFallback] = useState(() => lastOpened()?.index ?? 0);
  const [selected, setSelected] = useState<Set<number>>(new Set());
  const [anchor, setAnchor] = useState<number>();
  const [asked, setAsked] = useState<Asked>();
  list?.changed.value;

  const issues = list?.issues ?? [];
  // An issue that left the list gives its place to the one that took it.
  const found = issues.findIndex((i) => i.id === activeId);
  const active = found >= 0 ? found : activeId === undefined ? -1 : Math.min(fallback, issues.length - 1);
  const chosen = issues.filter((i) => selected.has(i.id));
  const targets = (): IssueSummary[] => {
    const one = issues[active];
    return chosen.length > 0 ? chosen : one === undefined ? [] : [one];
  };
  const people = [...new Set(issues.map((i) => i.assignee))].filter((who) => who !== "");

  useEffect(() => {
    document.title = "Issues · Tailrace";
  }, []);
  useEffect(() => setSelected(new Set()), [params]);
  const activeRow = issues[active]?.id;
  useEffect(() => {
    if (found >= 0) setFallback(found);
    else if (activeRow !== undefined) setActiveId(activeRow);
  }, [found, activeRow]);

  const activate = (index: number) => {
    const issue = issues[Math.max(0, Math.min(issues.length - 1, index))];
    if (issue !== undefined) setActiveId(issue.id);
  };
  const open = (index: number) => {
    const issue = issues[index];
    if (issue === undefined) return;
    rememberOrder(
      issues.map((i) => i.id),
      issue.id,
    );
    navigate(withRange(`/issues/${issue.id}`));
  };
  const select = (index: number, toHere: boolean) => {
    const issue = issues[index];
    if (issue === undefined) return;
    const next = new Set(selected);
    const start = toHere ? issues.findIndex((i) => i.id === anchor) : -1;
    if (start >= 0) {
      for (let i = Math.min(start, index); i <= Math.max(start, index); i++) next.add((issues[i] as IssueSummary).id);
    } else if (!next.delete(issue.id)) next.add(issue.id);
    setSelected(next);
    setAnchor(issue.id);
    setActiveId(issue.id);
  };
  const selectAll = () => setSelected(new Set(issues.map((i) => i.id)));

  const acts = {
    onChange: (changed: IssueSummary[], part: Partial<IssueSummary>) => {
      if (found >= 0) setFallback(found);
      list?.change(new Set(changed.map((i) => i.id)), part, (i) => listedIn(tab, i.state));
      setSelected(new Set());
    },
    onMerge: (merged: IssueSummary[], into: number) => {
      list?.change(new Set(merged.map((i) => i.id)), {}, (i) => i.id === into);
      setActiveId(into);
      setSelected(new Set());
    },
  };
  const ask = (what: Asked["what"]) => {
    const of = targets();
    if (what === "merge" && !canMerge(of)) {
      toast({ text: "Select two or more issues of the same Worker (x), then merge them." });
      return;
    }
    if (of.length > 0) setAsked({ what, issues: of });
  };
  const resolve = () => targets().length > 0 && applyState(targets(), { state: "resolved" }, acts);
  const unresolve = () => targets().length > 0 && applyState(targets(), { state: "unresolved" }, acts);

  useShortcuts({
    j: () => activate(active + 1),
    k: () => activate(active - 1),
    ArrowDown: () => activate(active + 1),
    ArrowUp: () => activate(active - 1),
    Enter: () => open(active),
    o: () => open(active),
    e: resolve,
    u: unresolve,
    r: () => ask("resolve"),
    i: () => ask("ignore"),
    a: () => ask("assign"),
    m: () => ask("merge"),
    x: () => select(active, false),
    X: () => select(active, true),
    z: () => void undoNewest(),
    Escape: () => {
      if (selected.size > 0) setSelected(new Set());
      else setActiveId(undefined);
    },
    "/": () => {
      const input = document.getElementById("issue-search") as HTMLInputElement | null;
      input?.focus();
      input?.select();
    },
  });

  const empty = list !== undefined && fresh && list.done && issues.length === 0;
  const failure = issues.length === 0 ? list?.error : undefined;
  return (
    <div class="issues-page">
      <h1 class="sr">Issues</h1>
      <Progress show={!fresh} />
      <Tabs current={tab} meta={tab === "noise" ? others : list?.meta} />
      <Filters people={people} />
      {list?.error !== undefined && failure === undefined && (
        <StaleNotice failure={list.error} retry={() => void list.refresh()} />
      )}
      {failure !== undefined ? (
        <ErrorState failure={failure} retry={() => void list?.refresh()} />
      ) : empty ? (
        <Empty tab={tab} total={total(list.meta?.states) + (list.meta?.noise ?? 0)} />
      ) : (
        list !== undefined && (
          <div class={`issues-main ${fresh ? "" : "stale"}`}>
            <IssueTable
              list={list}
              active={active}
              selected={selected}
              sort={query.value.sort ?? "last_seen"}
              onOpen={open}
              onSelect={select}
              onSelectAll={selectAll}
              bulk={
                <BulkBar
                  issues={chosen}
                  onAsk={ask}
                  onResolve={resolve}
                  onUnresolve={unresolve}
                  onClear={() => setSelected(new Set())}
                />
              }
            />
          </div>
        )
      )}
      <TriageDialog asked={asked} people={people} acts={acts} onClose={() => setAsked(undefined)} />
    </div>
  );
}

const total = (states: Record<string, number> | undefined): number =>
  Object.values(states ?? {}).reduce((sum, n) => sum + n, 0);

const NONE: Record<string, string> = {
  open: "Nothing is open",
  unresolved: "Nothing is unresolved",
  regressed: "Nothing came back",
  ignored: "Nothing is ignored",
  resolved: "Nothing is resolved yet",
  noise: "No noise",
};

function Empty({ tab, total }: { tab: string; total: number }) {
  const filtered = FILTERS.some((name) => query.value[name] !== undefined);
  if (filtered)
    return (
      <div class="state">
        <h2>No issue matches</h2>
        <p class="muted">Take a filter away, or look under another state.</p>
        <button
          type="button"
          class="btn"
          onClick={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
        >
          Clear the filters
        </button>
      </div>
    );
  if (total > 0)
    return (
      <div class="state">
        <h2>{NONE[tab] ?? "No issue"}</h2>
        <p class="muted">
          {tab === "open"
            ? "Every issue is resolved or ignored. A new one or a regression shows up here within seconds."
            : ""}
        </p>
        <a class="btn" href="/issues?state=all">
          All issues
        </a>
      </div>
    );
  return (
    <div class="state">
      <h2>No issue yet</h2>
      <p class="muted">
        Uncaught exceptions, rejected promises, logged errors, answers of 500 and above and isolates that died become
        issues here, grouped by where in your source they broke and tied to the version that brought them. Nothing has
        to be added to a Worker but the line that observes it:
      </p>
      <Snippet code={TAIL_LINE} />
      <p class="muted">With a version's source maps, stacks show your own files and lines:</p>
      <Snippet code="npx tailrace deploy" />
    </div>
  );
}
