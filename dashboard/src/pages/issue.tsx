/**
 * One issue: what broke, since which version, on which line of the source, for
 * how many, and whether it still goes on; then its stack, and what is known of
 * its events.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { IssueAnswer, IssueSummary } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { Activity } from "../components/issue/activity.tsx";
import { Affected } from "../components/issue/affected.tsx";
import { StandsOut } from "../components/issue/findings.tsx";
import { Fingerprints, Incidents } from "../components/issue/grouping.tsx";
import { Head } from "../components/issue/head.tsx";
import { Occurrences } from "../components/issue/occurrences.tsx";
import { Timeline } from "../components/issue/timeline.tsx";
import { Verdict } from "../components/issue/verdict.tsx";
import { VersionList } from "../components/issue/version-list.tsx";
import { type Asked, applyState, TriageDialog } from "../components/issues/triage-dialogs.tsx";
import { StackPanel } from "../components/stack/stack-panel.tsx";
import { ErrorState, Progress, StaleNotice } from "../components/states.tsx";
import { readOccurrence } from "../lib/event-row.ts";
import { headline } from "../lib/stack-frames.ts";
import { assignColours, rememberName } from "../lib/versions.ts";
import { issueChanges } from "../state/issue-changes.ts";
import { neighbour } from "../state/issue-order.ts";
import { useShortcuts } from "../state/keys.ts";
import { tick } from "../state/live.ts";
import { navigate, query, range, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { undoNewest } from "../state/triage.ts";
import "../styles/issues.css";
import "../styles/issue.css";
import "../styles/worker.css";

function useIssue(id: number) {
  const { from, to } = range.value;
  const resource = useResource(
    `${id} ${from} ${to}`,
    (signal) => issuesApi.issue(id, range.value, signal),
    tick.value,
    issueChanges.value,
  );
  useMemo(() => {
    const versions = resource.data?.versions ?? [];
    for (const v of versions) rememberName(v.id, v.tag, v.message);
    assignColours([...versions].sort((a, b) => a.firstSeen - b.firstSeen).map((v) => v.id));
  }, [resource.data]);
  return resource;
}

function useStack(id: number, answer: IssueAnswer) {
  const { version } = query.value;
  const at = readOccurrence(query.value.at);
  const params = at === undefined ? { version } : { invocation: at.invocation, seq: at.seq };
  // A map that came meanwhile shows without a reload of the page.
  const waits = answer.issue.awaitsMap ? tick.value : 0;
  const stack = useResource(JSON.stringify([id, params]), (signal) => issuesApi.stack(id, params, signal), waits);
  return { stack, at };
}

function Loaded({ answer, fresh }: { answer: IssueAnswer; fresh: boolean }) {
  const { issue } = answer;
  const [asked, setAsked] = useState<Asked>();
  /** What was changed here and the server has not said yet. */
  const [change, setChange] = useState<Partial<IssueSummary>>({});
  useEffect(() => setChange({}), [answer]);
  const shown = { ...answer, issue: { ...issue, ...change } };
  const { stack, at } = useStack(issue.id, answer);
  const now = Math.max(Date.now(), issue.lastSeen);
  const acts = { onChange: (_: IssueSummary[], part: Partial<IssueSummary>) => setChange(part) };
  const ask = (what: Asked["what"]) => setAsked({ what, issues: [shown.issue] });
  const resolve = () => applyState([shown.issue], { state: "resolved" }, acts);
  const unresolve = () => applyState([shown.issue], { state: "unresolved" }, acts);
  const step = (by: number) => {
    const next = neighbour(issue.id, by);
    if (next !== undefined) navigate(withRange(`/issues/${next}`));
  };
  useShortcuts({
    e: resolve,
    r: () => ask("resolve"),
    u: unresolve,
    i: () => ask("ignore"),
    a: () => ask("assign"),
    c: () => document.getElementById("comment")?.focus(),
    z: () => void undoNewest(),
    j: () => step(1),
    k: () => step(-1),
    Escape: () => navigate(withRange("/issues")),
  });
  return (
    <div class={fresh ? "" : "stale"}>
      <Head answer={shown} onAsk={ask} onResolve={resolve} onUnresolve={unresolve} />
      <Verdict answer={answer} stack={stack.data} now={now} />
      <div class="issue-columns">
        <div class="issue-left">
          <StackPanel answer={answer} stack={stack} at={at} />
          <div class="issue-later">
            <Incidents answer={answer} />
            <Occurrences answer={answer} refresh={tick.value} />
            <Activity id={issue.id} activity={answer.activity} />
            <Fingerprints answer={answer} />
          </div>
        </div>
        <div class="issue-right">
          <div>
            <Timeline answer={answer} />
            <VersionList answer={answer} now={now} />
          </div>
          <StandsOut answer={answer} />
          <Affected answer={answer} />
        </div>
      </div>
      <TriageDialog
        asked={asked}
        people={issue.assignee === "" ? [] : [issue.assignee]}
        acts={acts}
        onClose={() => setAsked(undefined)}
      />
    </div>
  );
}

/** A merged issue's page is the one that it went into. */
function useRedirect(answer: IssueAnswer | undefined, id: number) {
  const gone = useRef<number | null>(null);
  const into = answer?.issue.id === id ? answer.mergedInto : null;
  useEffect(() => {
    if (into === null || into === gone.current) return;
    gone.current = into;
    navigate(withRange(`/issues/${into}?merged=${id}`), true);
  }, [into]);
}

export default function Issue({ id: text }: { id: string }) {
  const id = Number(text.replace(/^#/, ""));
  const { data, error, loading, fresh, reload } = useIssue(id);
  useRedirect(fresh ? data : undefined, id);
  useEffect(() => {
    const name = data === undefined ? "Issue" : headline({ type: data.issue.type, message: data.issue.title });
    document.title = `${name.slice(0, 80)} · Tailrace`;
  }, [data]);

  if (data === undefined && error?.status === 404)
    return (
      <div class="state">
        <h2>There is no issue #{text}</h2>
        <p class="muted">Its retention has passed, or the number is another one.</p>
        <a class="btn" href={withRange("/issues")}>
          Issues
        </a>
      </div>
    );
  if (data === undefined && error !== undefined) return <ErrorState failure={error} retry={reload} />;
  const merged = query.value.merged;
  return (
    <div class="page issue-page">
      <Progress show={loading && !fresh} />
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      {merged !== undefined && (
        <p class="notice warn" role="status">
          Issue #{merged} was merged into this one. Under “Grouped” it can be taken out again.
        </p>
      )}
      {data !== undefined && data.mergedInto === null && <Loaded key={data.issue.id} answer={data} fresh={fresh} />}
    </div>
  );
}
