/** What can be done with the selected issues. */
import type { IssueSummary } from "../../../../workers/api/contract.ts";
import { Icon } from "../icons.tsx";
import type { Asked } from "./triage-dialogs.tsx";

interface Props {
  issues: IssueSummary[];
  onAsk: (what: Asked["what"]) => void;
  onResolve: () => void;
  onUnresolve: () => void;
  onClear: () => void;
}

/** Grouping is per Worker, so merging is, too. */
export const canMerge = (issues: IssueSummary[]): boolean =>
  issues.length > 1 && new Set(issues.map((i) => i.script)).size === 1;

export function BulkBar({ issues, onAsk, onResolve, onUnresolve, onClear }: Props) {
  const mergeable = canMerge(issues);
  return (
    <div class="bulk-bar" role="toolbar" aria-label="Selected issues">
      <button type="button" class="icon-btn" aria-label="Clear the selection (Esc)" onClick={onClear}>
        <Icon name="close" />
      </button>
      <b class="num">{issues.length} selected</b>
      <button type="button" class="btn quiet" onClick={onResolve}>
        Resolve <kbd class="kbd hide-narrow">e</kbd>
      </button>
      <button type="button" class="btn quiet" onClick={() => onAsk("ignore")}>
        Ignore <kbd class="kbd hide-narrow">i</kbd>
      </button>
      <button type="button" class="btn quiet" onClick={onUnresolve}>
        Unresolve <kbd class="kbd hide-narrow">u</kbd>
      </button>
      <button type="button" class="btn quiet" onClick={() => onAsk("assign")}>
        Assign <kbd class="kbd hide-narrow">a</kbd>
      </button>
      <button
        type="button"
        class="btn quiet"
        disabled={!mergeable}
        title={mergeable ? undefined : "Two or more issues of the same Worker can be merged"}
        onClick={() => onAsk("merge")}
      >
        Merge <kbd class="kbd hide-narrow">m</kbd>
      </button>
    </div>
  );
}
