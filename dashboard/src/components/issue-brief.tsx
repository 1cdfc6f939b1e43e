/** The open issues of a range in a few lines, for the pages that say whether something is broken. */
import type { IssueSummary, IssuesAnswer } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { count, roughly } from "../lib/format.ts";
import { issueChanges } from "../state/issue-changes.ts";
import { tick } from "../state/live.ts";
import { range, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { Version } from "./version.tsx";
import "../styles/brief.css";

const SHOWN = 5;
/** Of the ones that were seen last, those that came most are shown. */
const ASKED = 50;

/** What came back is first, then what happens most in the range. */
const byUrgency = (a: IssueSummary, b: IssueSummary): number =>
  Number(b.state === "regressed") - Number(a.state === "regressed") || b.countInRange - a.countInRange;

function hrefOf(params: Record<string, string>): string {
  const search = new URLSearchParams(params);
  return withRange(search.size === 0 ? "/issues" : `/issues?${search}`);
}

function Lines({ answer, script, now }: { answer: IssuesAnswer; script: string | undefined; now: number }) {
  return (
    <ul class="brief-list">
      {answer.issues.map((i) => (
        <li key={i.id}>
          <a class="brief-row" href={withRange(`/issues/${i.id}`)}>
            <span class="cut">
              {i.type !== "" && <b>{i.type}</b>} {i.title}
            </span>
            {script === undefined && <span class="muted brief-script cut">{i.script}</span>}
            <span class="brief-version">
              <Version {...i.firstVersion} showMessage />
            </span>
            <span class="brief-mark small">
              {i.state === "regressed" ? (
                <b class="bad">Regressed</b>
              ) : (
                i.firstSeen >= answer.from && <b class="mark new">New</b>
              )}
            </span>
            <span class="num">{count(i.countInRange)}</span>
            <span class="num small faint brief-seen">{roughly(now - i.lastSeen)} ago</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

export interface Brief {
  answer: IssuesAnswer | undefined;
  /** Of the present range, or of none that can be had: what stands below will not be pushed down. */
  settled: boolean;
}

export function useIssueBrief(script?: string): Brief {
  const { from, to } = range.value;
  const { data, error } = useResource(
    `${script} ${from} ${to}`,
    (signal) => issuesApi.list(script === undefined ? {} : { script }, { from, to }, ASKED, undefined, signal),
    tick.value,
    issueChanges.value,
  );
  return { answer: data, settled: data !== undefined || error !== undefined };
}

export function IssueBrief({ answer, script }: { answer: IssuesAnswer | undefined; script?: string }) {
  if (answer === undefined) return null;
  const open = answer.states.unresolved + answer.states.regressed;
  if (open === 0) return null;
  const shown = {
    ...answer,
    issues: answer.issues
      .filter((i) => i.countInRange > 0)
      .sort(byUrgency)
      .slice(0, SHOWN),
  };
  const filter: Record<string, string> = script === undefined ? {} : { script };
  return (
    <section class="brief" aria-labelledby="brief-title">
      <div class="section-head">
        <h2 id="brief-title">Issues</h2>
        <a class="link small" href={hrefOf(filter)}>
          {count(open)} open
        </a>
        {answer.states.regressed > 0 && (
          <a class="link small" href={hrefOf({ ...filter, state: "regressed" })}>
            {count(answer.states.regressed)} regressed
          </a>
        )}
        <a class="link small" href={hrefOf({ ...filter, sort: "first_seen" })}>
          Newest
        </a>
      </div>
      {shown.issues.length > 0 ? (
        <Lines answer={shown} script={script} now={Date.now()} />
      ) : (
        <p class="small muted">None of them was seen in this range.</p>
      )}
    </section>
  );
}
