/** The virtual list of issues, with heads that sort, or what one does with the selected ones in their place. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { SORTS } from "../../lib/issues.ts";
import { useVirtual } from "../../lib/virtual.ts";
import { type IssueList, MAX_ISSUES } from "../../state/issue-list.ts";
import { setQuery } from "../../state/location.ts";
import { useNarrow } from "../event-list.tsx";
import { IssueRow } from "./issue-row.tsx";

const ROW_PX = 54;
/** Three lines on a phone. */
const NARROW_ROW_PX = 84;
const AHEAD_ROWS = 40;

interface Props {
  list: IssueList;
  active: number;
  selected: Set<number>;
  sort: string;
  /** Stands in for the heads while something is selected. */
  bulk: ComponentChildren;
  onOpen: (index: number) => void;
  onSelect: (index: number, range: boolean) => void;
  onSelectAll: () => void;
}

function SortHead({ id, sort, children }: { id: string; sort: string; children: ComponentChildren }) {
  const on = sort === id;
  return (
    <button
      type="button"
      class={on ? "on" : ""}
      aria-pressed={on}
      title={`Sort by: ${SORTS.find((s) => s.id === id)?.label}`}
      onClick={() => setQuery({ sort: id === "last_seen" ? undefined : id })}
    >
      {children}
      {on ? " ↓" : ""}
    </button>
  );
}

function Heads({ sort, onSelectAll }: { sort: string; onSelectAll: () => void }) {
  return (
    <div class="issue-heads small" role="toolbar" aria-label="Select and sort">
      <label class="issue-check">
        <input type="checkbox" aria-label="Select all that are loaded" checked={false} onChange={onSelectAll} />
      </label>
      <span class="issue-icon" />
      <span class="issue-main">Issue</span>
      <span class="issue-versions">First, last version</span>
      <span class="issue-trend">Events over the range</span>
      <span class="issue-count num">
        <SortHead id="count" sort={sort}>
          Events
        </SortHead>
      </span>
      <span class="issue-users num">
        <SortHead id="users" sort={sort}>
          Users
        </SortHead>
      </span>
      <span class="issue-seen num">
        <SortHead id="last_seen" sort={sort}>
          Seen
        </SortHead>
        {" / "}
        <SortHead id="first_seen" sort={sort}>
          age
        </SortHead>
      </span>
      <span class="issue-assignee">Assignee</span>
    </div>
  );
}

export function IssueTable(props: Props) {
  const { list, active, selected, sort, bulk, onOpen, onSelect, onSelectAll } = props;
  const host = useRef<HTMLDivElement>(null);
  const rowPx = useNarrow() ? NARROW_ROW_PX : ROW_PX;
  const version = list.changed.value;
  const virtual = useVirtual(host, list.issues.length, rowPx);
  const last = virtual.items.at(-1)?.index ?? 0;
  const from = list.meta?.from ?? 0;
  const now = Date.now();

  useEffect(() => {
    if (last + AHEAD_ROWS >= list.issues.length) void list.more();
  }, [list, last, version]);
  useEffect(() => {
    if (active >= 0) virtual.scrollTo(active);
  }, [active]);

  return (
    <div class="issue-table">
      {selected.size > 0 ? bulk : <Heads sort={sort} onSelectAll={onSelectAll} />}
      <div
        ref={host}
        class="issues"
        role="grid"
        aria-label="Issues"
        aria-multiselectable="true"
        aria-rowcount={list.done ? list.issues.length : -1}
        aria-activedescendant={active >= 0 ? `issue-${list.issues[active]?.id}` : undefined}
        tabIndex={0}
      >
        <div class="issues-space" style={{ height: `${virtual.height}px` }}>
          {virtual.items.map((item) => {
            const issue = list.issues[item.index];
            if (issue === undefined) return null;
            return (
              <IssueRow
                key={issue.id}
                issue={issue}
                index={item.index}
                top={item.start}
                height={rowPx}
                active={item.index === active}
                selected={selected.has(issue.id)}
                now={now}
                isNew={issue.firstSeen >= from}
                onOpen={onOpen}
                onSelect={onSelect}
              />
            );
          })}
        </div>
        {list.full && (
          <p class="issues-end small faint">
            The list ends at {MAX_ISSUES} issues. Narrow the filters to see the rest.
          </p>
        )}
      </div>
    </div>
  );
}
