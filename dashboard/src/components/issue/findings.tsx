/** What its events have more often than all events of the Worker: shares side by side, and how sure that is. */
import { useState } from "preact/hooks";
import type { AttributeFinding, IssueAnswer } from "../../../../workers/api/contract.ts";
import { issuesApi } from "../../api/issues.ts";
import { alikeText, comparedText, findingText, intervalText, oddsText } from "../../lib/findings.ts";
import { percent } from "../../lib/format.ts";
import { exploreHref } from "../../lib/query-text.ts";
import { isVersion } from "../../lib/result-series.ts";
import { nameOf, shortId } from "../../lib/versions.ts";
import { tick } from "../../state/live.ts";
import { range } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";
import { CompletenessBadge } from "../completeness.tsx";

const SHOWN = 6;

/** Versions are told by their tag. */
function valueName({ attribute, value }: { attribute: string; value: string }): string {
  if (value === "") return "(empty)";
  return isVersion(attribute) ? nameOf(value)?.tag || shortId(value) : value;
}

function Bar({ share, label, tone }: { share: number; label: string; tone: string }) {
  return (
    <span class="pair">
      <span class="pair-track">
        <span class={`pair-fill ${tone}`} style={{ width: `${Math.max(0.5, share * 100)}%` }} />
      </span>
      <span class="num small">{percent(share)}</span>
      <span class="small faint cut">{label}</span>
    </span>
  );
}

function Finding({ finding, issue }: { finding: AttributeFinding; issue: IssueAnswer }) {
  return (
    <li>
      <a
        class="finding-row"
        href={exploreHref(`${issue.query} ${finding.filter}`, range.value)}
        title={`${findingText(finding, issue.issue.script)}\nShow them in Explore`}
      >
        <span class="finding-what cut">
          <span class="small muted mono">{finding.attribute}</span> <b>{valueName(finding)}</b>
        </span>
        <span class="finding-odds num" title="Ratio of the odds, and where it lies with 95 % confidence">
          <b>{oddsText(finding.oddsRatio)}</b> <span class="small faint">{intervalText(finding.interval)}</span>
        </span>
        <span class="finding-bars">
          <Bar share={finding.issueShare} label="of this issue" tone="bad" />
          <Bar share={finding.workerShare} label={`of all of ${issue.issue.script}`} tone="" />
        </span>
        {finding.alike.length > 0 && (
          <span class="finding-alike small faint" title={alikeText(finding, valueName, Number.POSITIVE_INFINITY)}>
            {alikeText(finding, valueName)}
          </span>
        )}
        <span class="sr">{findingText(finding, issue.issue.script)}</span>
      </a>
    </li>
  );
}

export function StandsOut({ answer }: { answer: IssueAnswer }) {
  const { from, to } = range.value;
  const { id } = answer.issue;
  const [all, setAll] = useState(false);
  const { data, error, fresh, reload } = useResource(
    `${id} ${from} ${to}`,
    (signal) => issuesApi.attributes(id, range.value, signal),
    tick.value,
  );
  return (
    <section aria-labelledby="stands-out-title">
      <div class="section-head">
        <h2 id="stands-out-title">What stands out</h2>
        <span class="grow" />
        <CompletenessBadge value={data?.completeness} />
      </div>
      {error !== undefined && data === undefined && (
        <p class="small muted">
          {error.message}{" "}
          <button type="button" class="link" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {data === undefined && error === undefined && <div class="stands-wait" />}
      {data !== undefined && (
        <div class={fresh ? "" : "stale"}>
          {data.findings.length === 0 ? (
            <p class="muted stands-none">
              {data.inIssue === 0
                ? "It has no events in this range to compare."
                : data.comparisons.values === 0
                  ? "Too few of its events in this range to tell a cause from chance."
                  : "Nothing beyond chance: its events look like all the others of this Worker."}
            </p>
          ) : (
            <ul class="finding-list">
              {data.findings.slice(0, all ? data.findings.length : SHOWN).map((f) => (
                <Finding key={`${f.attribute} ${f.value}`} finding={f} issue={answer} />
              ))}
              {!all && data.findings.length > SHOWN && (
                <li>
                  <button type="button" class="link small" onClick={() => setAll(true)}>
                    {data.findings.length - SHOWN} more
                  </button>
                </li>
              )}
            </ul>
          )}
          {data.comparisons.values > 0 && <p class="small faint">{comparedText(data)}</p>}
        </div>
      )}
    </section>
  );
}
