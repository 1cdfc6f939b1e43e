/** One issue in the list: what it is, since which version, how often, for how many, and whose. */
import type { IssueSummary, VersionName } from "../../../../workers/api/contract.ts";
import { count, full, roughly } from "../../lib/format.ts";
import { colourVar, shortId } from "../../lib/versions.ts";
import { withRange } from "../../state/location.ts";
import { versionTitle } from "../version.tsx";
import { CountSpark } from "./count-spark.tsx";
import { KindMark, StateIcon } from "./state.tsx";

function ShortVersion({ v, lead }: { v: VersionName; lead: string }) {
  return (
    <span class="version" title={`${lead} ${versionTitle(v)}`}>
      <span class="dot" style={{ "--dot": `var(${colourVar(v.id)})` }} />
      <span class="cut">{v.tag || (v.id === "" ? "no version" : shortId(v.id))}</span>
      {v.tag !== "" && <span class="id hide-narrow">{shortId(v.id)}</span>}
    </span>
  );
}

interface Props {
  issue: IssueSummary;
  index: number;
  top: number;
  height: number;
  active: boolean;
  selected: boolean;
  now: number;
  /** Began within the range. */
  isNew: boolean;
  onOpen: (index: number) => void;
  onSelect: (index: number, range: boolean) => void;
}

export function IssueRow(props: Props) {
  const { issue, index, top, height, active, selected, now, isNew, onOpen, onSelect } = props;
  const name = issue.type === "" ? issue.title : `${issue.type}: ${issue.title}`;
  return (
    <div
      id={`issue-${issue.id}`}
      class={`issue ${active ? "active" : ""} ${selected ? "selected" : ""}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
      onClick={(e) => {
        // The link opens by itself, also in a new tab.
        if ((e.target as HTMLElement).closest("a") === null) onOpen(index);
      }}
    >
      <span
        role="gridcell"
        class="issue-check"
        onClick={(e) => {
          e.stopPropagation();
          onSelect(index, e.shiftKey);
        }}
      >
        <input type="checkbox" tabIndex={-1} aria-label={`Select #${issue.id}`} checked={selected} />
      </span>
      <span role="gridcell" class="issue-icon">
        <StateIcon state={issue.state} />
      </span>
      <span role="gridcell" class="issue-main">
        <a class="issue-title cut" href={withRange(`/issues/${issue.id}`)} title={name} tabIndex={-1}>
          {issue.type !== "" && <b>{issue.type}</b>} {issue.title}
        </a>
        <span class="issue-sub small">
          <KindMark kind={issue.kind} noise={issue.noise} />
          <span class="issue-script">{issue.script}</span>
          <span class="mono cut faint">{issue.culprit}</span>
          {isNew && <span class="mark new">New</span>}
          {issue.state === "regressed" && (
            <span class="mark bad">Regressed{issue.regressions > 1 ? ` ${issue.regressions}×` : ""}</span>
          )}
          {issue.awaitsMap && (
            <span class="mark warn" title="A version of it has no source map">
              No source map
            </span>
          )}
        </span>
      </span>
      <span role="gridcell" class="issue-versions small">
        <ShortVersion v={issue.firstVersion} lead="Since" />
        {issue.lastVersion.id !== issue.firstVersion.id ? (
          <ShortVersion v={issue.lastVersion} lead="Last in" />
        ) : (
          <span class="faint">only in this one</span>
        )}
      </span>
      <span role="gridcell" class="issue-trend">
        <CountSpark counts={issue.sparkline} />
      </span>
      <span role="gridcell" class="issue-count num" title={`${count(issue.count)} events in all`}>
        {count(issue.count)}
        <span class="small faint">{count(issue.countInRange)} in range</span>
      </span>
      <span role="gridcell" class="issue-users num" title="Approximate">
        {issue.users > 0 ? count(issue.users) : <span class="faint">–</span>}
      </span>
      <span role="gridcell" class="issue-seen num">
        <span title={`Last seen ${full(issue.lastSeen)}`}>{roughly(now - issue.lastSeen)} ago</span>
        <span class="small faint" title={`First seen ${full(issue.firstSeen)}`}>
          {roughly(now - issue.firstSeen)} old
        </span>
      </span>
      <span role="gridcell" class="issue-assignee small cut" title={issue.assignee}>
        {issue.assignee || <span class="faint">–</span>}
      </span>
    </div>
  );
}
