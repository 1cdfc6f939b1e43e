/** What broke with the new version: its own issues, with the line in the team's source. */
import type { NewIssue, RolloutAnswer } from "../../../../workers/api/contract.ts";
import { count, full, moment } from "../../lib/format.ts";
import { hasEnded } from "../../lib/rollouts.ts";
import { withRange } from "../../state/location.ts";

export function IssueLines({ issues, now }: { issues: readonly NewIssue[]; now: number }) {
  return (
    <ul class="new-issues">
      {issues.map((i) => (
        <li key={i.id}>
          <a class="new-issue" href={withRange(`/issues/${i.id}`)}>
            <span class="new-issue-title">
              {i.type !== "" && <b>{i.type} </b>}
              {i.title}
            </span>
            <span class="num">{count(i.count)}</span>
            <span class="mono new-issue-frame">{i.frame ?? "without a stack"}</span>
            <span class="small faint num" title={full(i.firstSeen)}>
              since {moment(i.firstSeen, now)}
            </span>
            {i.note !== undefined && <span class="small faint new-issue-note">{i.note}</span>}
            {i.frame !== null && !i.isMapped && (
              <span class="small warn new-issue-note">of the bundle: the version's source map is not there</span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
}

export function NewIssues({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { issues, rollout } = answer;
  const sorted = [...issues].sort((a, b) => b.count - a.count);
  return (
    <section aria-labelledby="new-issues-title">
      <div class="section-head">
        <h2 id="new-issues-title">New issues in this version</h2>
        {issues.length > 0 && (
          <a
            class="link small"
            href={withRange(
              `/issues?script=${encodeURIComponent(rollout.script)}&new_in=${encodeURIComponent(rollout.new.id)}&state=all`,
            )}
          >
            All of them
          </a>
        )}
      </div>
      {sorted.length === 0 ? (
        <p class="muted roll-none">
          {hasEnded(rollout)
            ? "It brought no error that was not there before."
            : "None so far: no error that the old version does not have."}
        </p>
      ) : (
        <IssueLines issues={sorted} now={now} />
      )}
    </section>
  );
}
