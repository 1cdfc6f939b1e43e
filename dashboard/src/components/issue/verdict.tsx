/** Above the fold: since which version, on which line of the source, for how many, and whether it goes on. */
import type { ComponentChildren } from "preact";
import type { IssueAnswer, StackAnswer } from "../../../../workers/api/contract.ts";
import { about, count, full, moment, roughly } from "../../lib/format.ts";
import { goesOn, versionText } from "../../lib/issues.ts";
import { brokenAt, placeOf } from "../../lib/stack-frames.ts";
import { CopyButton } from "../states.tsx";
import { Version } from "../version.tsx";

function Fact({ label, children, note }: { label: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div>
      <dt class="small faint">{label}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd class="small muted">{note}</dd>}
    </div>
  );
}

const some = (n: number, one: string, several = `${one}s`) => (n > 0 ? `${count(n)} ${n === 1 ? one : several}` : "");

function Where({ answer, stack }: { answer: IssueAnswer; stack: StackAnswer | undefined }) {
  const frame = stack === undefined ? undefined : brokenAt(stack.trace, answer.issue);
  if (frame === undefined || frame.file === null)
    return (
      <Fact label="Breaks at" note={stack === undefined ? " " : "it came without a stack"}>
        <span class="mono">{answer.issue.culprit || "–"}</span>
      </Fact>
    );
  const place = placeOf(frame);
  return (
    <Fact
      label="Breaks at"
      note={
        <>
          {frame.function === null ? "" : `in ${frame.function}`}
          {!frame.mapped && stack?.sourceMap !== "none" && (
            <span class="warn"> · of the bundle, not of your source</span>
          )}
        </>
      }
    >
      <span class="verdict-place">
        <span class="mono" title={place}>
          {place}
        </span>
        <CopyButton label="" text={place} />
      </span>
    </Fact>
  );
}

export function Verdict({ answer, stack, now }: { answer: IssueAnswer; stack: StackAnswer | undefined; now: number }) {
  const { issue, affected } = answer;
  const on = goesOn(issue.lastSeen, now);
  const still = answer.versions.filter((v) => goesOn(v.lastSeen, now));
  const whom = [
    some(affected.users, "user"),
    some(affected.routes, "route"),
    some(affected.colos, "colo"),
    some(affected.countries, "country", "countries"),
  ].filter((part) => part !== "");
  const quiet = issue.state === "resolved" || issue.state === "ignored";
  return (
    <dl class="issue-facts">
      <Fact
        label="Since"
        note={
          <span title={full(issue.firstSeen)}>
            {moment(issue.firstSeen, now)}, {about(now - issue.firstSeen)} ago
          </span>
        }
      >
        <Version {...issue.firstVersion} showMessage />
      </Fact>
      <Where answer={answer} stack={stack} />
      <Fact label="For how many" note={whom.length === 0 ? "nobody that is known by name" : `about ${whom.join(", ")}`}>
        {count(issue.count)} {issue.count === 1 ? "event" : "events"}
        {issue.countInRange !== issue.count && <span class="muted"> · {count(issue.countInRange)} in this range</span>}
      </Fact>
      <Fact
        label="Still going on?"
        note={
          still.length > 0
            ? `in ${still.map(versionText).join(", ")}`
            : issue.lastVersion.id !== ""
              ? `last in ${versionText(issue.lastVersion)}`
              : " "
        }
      >
        <span class={`going ${on ? (quiet ? "warn" : "bad") : "good"}`} title={full(issue.lastSeen)}>
          <span class="dot" />
          {on ? "Yes" : "Not now"}
          <span class="muted">
            , last {now - issue.lastSeen < 60_000 ? "seconds" : roughly(now - issue.lastSeen)} ago
          </span>
        </span>
      </Fact>
    </dl>
  );
}
