/** Name of an issue, its state, and what one can do about it. */
import type { IssueAnswer, IssueSummary } from "../../../../workers/api/contract.ts";
import { ignoreText, versionText } from "../../lib/issues.ts";
import { shortId } from "../../lib/versions.ts";
import { withRange } from "../../state/location.ts";
import { session } from "../../state/session.ts";
import { Icon } from "../icons.tsx";
import { KindMark, StateName } from "../issues/state.tsx";
import type { Asked } from "../issues/triage-dialogs.tsx";

function stateNote(answer: IssueAnswer): string {
  if (answer.issue.state === "resolved") {
    const version = answer.resolvedInVersion;
    if (version !== null)
      return `${answer.resolvedIn === "next" ? "in the next version: " : "in "}${versionText(version)}`;
    if (answer.resolvedIn === "") return "";
    return answer.resolvedIn === "next" ? "in the next version, not seen yet" : `in ${shortId(answer.resolvedIn)}`;
  }
  if (answer.issue.state === "ignored" && answer.ignored !== null) return ignoreText(answer.ignored);
  if (answer.issue.state === "regressed" && answer.issue.regressions > 1) return `${answer.issue.regressions} times`;
  return "";
}

interface Props {
  answer: IssueAnswer;
  onAsk: (what: Asked["what"]) => void;
  onResolve: () => void;
  onUnresolve: () => void;
}

function Actions({ issue, onAsk, onResolve, onUnresolve }: Props & { issue: IssueSummary }) {
  const done = issue.state === "resolved" || issue.state === "ignored";
  // A token that may only read is told so by the buttons, not by an error.
  if (session.value?.scope === "read") return issue.assignee === "" ? null : <span>{issue.assignee}</span>;
  return (
    <div class="issue-actions" role="toolbar" aria-label="Change the issue">
      {done ? (
        <button type="button" class="btn" title="Unresolve (u)" onClick={onUnresolve}>
          Unresolve
        </button>
      ) : (
        <span class="split">
          <button type="button" class="btn primary" title="Resolve (e)" onClick={onResolve}>
            <Icon name="check" />
            Resolve
          </button>
          <button
            type="button"
            class="btn primary"
            aria-label="Resolve in a version"
            title="Resolve in a version (r)"
            onClick={() => onAsk("resolve")}
          >
            <Icon name="chevron" />
          </button>
        </span>
      )}
      {issue.state !== "ignored" && (
        <button type="button" class="btn" title="Ignore (i)" onClick={() => onAsk("ignore")}>
          Ignore
        </button>
      )}
      <button type="button" class="btn issue-owner" title="Assign (a)" onClick={() => onAsk("assign")}>
        <Icon name="user" />
        <span class="cut">{issue.assignee || "Assign"}</span>
      </button>
    </div>
  );
}

export function Head(props: Props) {
  const { issue } = props.answer;
  const note = stateNote(props.answer);
  return (
    <header class="issue-head">
      <div class="issue-head-line">
        <a class="icon-btn" href={withRange("/issues")} aria-label="Back to Issues" title="Back to Issues">
          <Icon name="back" />
        </a>
        <span class="faint num">#{issue.id}</span>
        <a class="link-plain issue-worker" href={withRange(`/workers/${encodeURIComponent(issue.script)}`)}>
          {issue.script}
        </a>
        <KindMark kind={issue.kind} noise={issue.noise} />
        <StateName state={issue.state} />
        {note !== "" && <span class="small muted cut">{note}</span>}
        <span class="grow" />
        <Actions {...props} issue={issue} />
      </div>
      <h1 class="issue-name">
        {issue.type !== "" && <span>{issue.type}</span>}
        {issue.type !== "" && issue.title !== "" && ": "}
        {issue.title}
      </h1>
    </header>
  );
}
