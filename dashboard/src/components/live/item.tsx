/** One row of the stream: an event, expandable in place, or what happened to the stream itself. */
import { Component } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EventJson } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import type { EventRow } from "../../lib/event-row.ts";
import { clock, count } from "../../lib/format.ts";
import { type LiveRow, type Note, shownOf } from "../../lib/live/buffer.ts";
import { exploreAt, exploreBetween, invocationAt } from "../../lib/live/links.ts";
import { withRange } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";
import { type AttributeActions, EventBody } from "../event-detail.tsx";
import { EventCells, toneClass } from "../event-list.tsx";
import { Icon } from "../icons.tsx";
import { IssueLink } from "../issue-link.tsx";
import { CopyButton } from "../states.tsx";
import { Version } from "../version.tsx";

/** A new issue is in the store within seconds of its first error: asked for again so often, after this time. */
const ISSUE_ASKS = 4;
const ISSUE_MS = 2000;

export interface ItemActions extends AttributeActions {
  onToggle: (n: number) => void;
  /** How much higher an expanded row is than the others. */
  onMeasure: (n: number, px: number) => void;
  /** The page's question, for links to Explore. */
  question: () => string;
}

interface Props {
  row: LiveRow;
  height: number;
  /** Of the invocation of the row above. */
  same: boolean;
  /** Of the invocation of the row that the keyboard is at. */
  related: boolean;
  active: boolean;
  expanded: boolean;
  actions: ItemActions;
}

const NOTES: Record<Note["kind"], { one: string; many: string; title: string }> = {
  gone: {
    one: "event came while the connection was broken. It is in the store.",
    many: "events came while the connection was broken. They are in the store.",
    title: "Of all Workers that are watched, whether they match the filter or not",
  },
  dropped: {
    one: "event came during the pause and did not fit here any more. It is in the store.",
    many: "events came during the pause and did not fit here any more. They are in the store.",
    title: "A pause keeps the newest",
  },
};

function NoteRow({ note, height, question }: { note: Note; height: number; question: string }) {
  const words = NOTES[note.kind];
  return (
    <div class="live-note small" role="row" style={{ height: `${height}px` }} title={words.title}>
      <Icon name="alert" />
      <span role="gridcell" class="cut">
        <b>{count(note.events)}</b> {note.events === 1 ? words.one : words.many}
      </span>
      <a class="link" href={exploreBetween(question, note.from, note.to)}>
        Explore {clock(note.from)} to {clock(note.to)}
      </a>
    </div>
  );
}

/** The stream says the fingerprint of an error; which issue that leads to at present, the store knows. */
function IssueOf({ row, event }: { row: EventRow; event: EventJson }) {
  const error = typeof event.fingerprint === "string" && event.fingerprint !== "";
  const [asked, setAsked] = useState(0);
  const { data } = useResource(
    error ? row.invocation : "",
    async (signal) => (error ? api.invocation(row.invocation, Math.floor(row.time), signal) : undefined),
    asked,
  );
  const issue = event.issue ?? data?.events.find((e) => e.seq === row.seq)?.issue;
  useEffect(() => {
    if (!error || issue !== undefined || asked >= ISSUE_ASKS) return;
    const timer = setTimeout(() => setAsked(asked + 1), ISSUE_MS);
    return () => clearTimeout(timer);
  }, [error, issue, asked]);
  return <IssueLink issue={issue} of={row} button />;
}

function More({ row, event, n, actions }: { row: EventRow; event: EventJson; n: number; actions: ItemActions }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => actions.onMeasure(n, element.offsetHeight));
    observer.observe(element);
    actions.onMeasure(n, element.offsetHeight);
    return () => observer.disconnect();
  }, [n]);
  return (
    <div class="live-more" ref={host}>
      <div class="live-links">
        <Version
          id={row.versionId}
          tag={row.versionTag}
          message={event.version_message as string | undefined}
          showMessage
        />
        <span class="grow" />
        <IssueOf row={row} event={event} />
        <a class="btn" href={withRange(invocationAt(row))}>
          Invocation
          <Icon name="arrow" />
        </a>
        <a
          class="btn"
          href={exploreAt(actions.question(), row)}
          aria-label="Explore at this moment"
          title="What else matched half a minute before and after"
        >
          Explore
          <Icon name="arrow" />
        </a>
        <CopyButton label="JSON" text={() => JSON.stringify(event, null, 2)} />
      </div>
      <EventBody event={event} actions={actions} />
    </div>
  );
}

/** A click that ends the selection of text is no click on the row. */
const isSelecting = (): boolean => window.getSelection()?.isCollapsed === false;

/** Drawn again only when something about it changed: the rows around it do all the time. */
export class LiveItem extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const now = this.props;
    return (
      next.row !== now.row ||
      next.height !== now.height ||
      next.same !== now.same ||
      next.related !== now.related ||
      next.active !== now.active ||
      next.expanded !== now.expanded
    );
  }

  override render({ row, height, same, related, active, expanded, actions }: Props) {
    const shown = shownOf(row);
    if (shown === undefined || row.event === undefined)
      return row.note === undefined ? null : <NoteRow note={row.note} height={height} question={actions.question()} />;
    const state = `${same ? "same" : ""} ${related ? "related" : ""} ${active ? "active" : ""}`;
    return (
      <div class={`live-item ${state} ${expanded ? "open" : ""}`}>
        <div
          id={`live-${row.n}`}
          class={`ev ${toneClass(shown)} ${active ? "active" : ""}`}
          role="row"
          aria-expanded={expanded}
          aria-selected={active}
          tabIndex={-1}
          style={{ height: `${height}px` }}
          onClick={() => {
            if (!isSelecting()) actions.onToggle(row.n);
          }}
        >
          <EventCells row={shown} />
        </div>
        {expanded && <More row={shown} event={row.event} n={row.n} actions={actions} />}
      </div>
    );
  }
}
