/** The virtual list of events, newest first. Only what is on screen is in the DOM. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type EventRow, toneOf } from "../lib/event-row.ts";
import { clock, count, day, duration, full } from "../lib/format.ts";
import { colourVar, shortId } from "../lib/versions.ts";
import { useVirtual } from "../lib/virtual.ts";
import { type EventPages, MAX_ROWS } from "../state/event-pages.ts";
import { StaleNotice } from "./states.tsx";
import { versionTitle } from "./version.tsx";
import "../styles/event-list.css";

export const ROW_PX = 26;
/** Two lines on a phone. */
export const NARROW_ROW_PX = 46;
const NARROW = window.matchMedia("(max-width: 760px)");
/** The next page is asked for when the end is this close. */
const AHEAD_ROWS = 150;

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const listen = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", listen);
    return () => NARROW.removeEventListener("change", listen);
  }, []);
  return narrow;
}

/** `tone-…`, not `warn`: only the edge of the row is coloured, not its text. */
export function toneClass(row: EventRow): string {
  const tone = toneOf(row.level, row.kind);
  return tone === "" ? "" : `tone-${tone}`;
}

/** Below warn the word at the row's end says the level; these set it apart a little. */
const LEVEL_CLASSES: Record<string, string> = { info: "lvl-info", debug: "lvl-debug", trace: "lvl-debug" };
const levelClass = (row: EventRow): string => (row.kind === "log" ? (LEVEL_CLASSES[row.level] ?? "") : "");

function Message({ row }: { row: EventRow }) {
  const tone = toneOf(row.level, row.kind);
  if (row.kind === "exception")
    return (
      <span class="cut ev-msg bad">
        <b>{row.name || "Error"}</b> {row.message}
      </span>
    );
  if (row.kind === "invocation") return <span class="cut ev-msg ev-inv">{row.message || row.name || row.outcome}</span>;
  return (
    <span class={`cut ev-msg mono ${tone === "error" ? "bad" : tone === "warn" ? "warn" : levelClass(row)}`}>
      {row.message || row.name}
    </span>
  );
}

function Result({ row }: { row: EventRow }) {
  if (row.kind !== "invocation")
    return (
      <span class={`ev-result faint ${levelClass(row)}`}>
        {row.kind === "exception" ? "exception" : row.level || row.kind}
      </span>
    );
  const failed = toneOf(row.level, row.kind) === "error";
  const text =
    row.outcome !== "ok" && row.outcome !== "" ? row.outcome : row.status === null ? "ok" : String(row.status);
  return <span class={`ev-result cut ${failed ? "bad" : row.level === "warn" ? "warn" : "muted"}`}>{text}</span>;
}

/** What a row of events says, in the columns of styles/event-list.css. */
export function EventCells({ row, showDay = false }: { row: EventRow; showDay?: boolean }) {
  return (
    <>
      <span role="gridcell" class="ev-time mono" title={full(row.time)}>
        {showDay && <span class="faint">{day(row.time).slice(5)} </span>}
        {clock(row.time, true)}
      </span>
      <span role="gridcell" class="ev-script cut">
        {row.script}
      </span>
      <span role="gridcell" class="ev-version version" title={versionTitle({ id: row.versionId, tag: row.versionTag })}>
        {row.versionId !== "" && (
          <>
            <span class="dot" style={{ "--dot": `var(${colourVar(row.versionId)})` }} />
            <span class="cut">{row.versionTag || shortId(row.versionId)}</span>
          </>
        )}
      </span>
      <span role="gridcell" class="ev-body">
        <Message row={row} />
      </span>
      <span role="gridcell" class="ev-end">
        <Result row={row} />
      </span>
      <span role="gridcell" class="ev-duration num muted">
        {row.duration === null ? "" : duration(row.duration)}
      </span>
    </>
  );
}

interface RowProps {
  row: EventRow | undefined;
  index: number;
  top: number;
  height: number;
  active: boolean;
  showDay: boolean;
  onOpen: (index: number) => void;
}

function Row({ row, index, top, height, active, showDay, onOpen }: RowProps) {
  const place = { transform: `translateY(${top}px)`, height: `${height}px` };
  if (row === undefined) return <div class="ev ev-blank" style={place} />;
  return (
    <div
      id={`ev-${index}`}
      class={`ev ${toneClass(row)} ${active ? "active" : ""}`}
      role="row"
      aria-selected={active}
      aria-rowindex={index + 1}
      tabIndex={-1}
      style={place}
      onClick={() => onOpen(index)}
    >
      <EventCells row={row} showDay={showDay} />
    </div>
  );
}

interface Props {
  pages: EventPages;
  active: number;
  showDay: boolean;
  onOpen: (index: number) => void;
  onTop: (atTop: boolean) => void;
}

export function EventList({ pages, active, showDay, onOpen, onTop }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const rowPx = useNarrow() ? NARROW_ROW_PX : ROW_PX;
  // Read so that the list draws again when a page arrives.
  const version = pages.changed.value;
  const virtual = useVirtual(host, pages.total, rowPx);
  const first = virtual.items[0]?.index ?? 0;
  const last = virtual.items.at(-1)?.index ?? 0;

  useEffect(() => {
    pages.view(first, last);
    if (last + AHEAD_ROWS >= pages.total) void pages.more();
  }, [pages, first, last, version]);

  useEffect(() => {
    if (active >= 0) virtual.scrollTo(active);
  }, [active]);

  return (
    <div
      ref={host}
      class={`events ${showDay ? "with-day" : ""}`}
      role="grid"
      aria-label="Events, newest first"
      aria-rowcount={pages.done ? pages.total : -1}
      aria-activedescendant={active >= 0 ? `ev-${active}` : undefined}
      tabIndex={0}
      onScroll={(e) => onTop(e.currentTarget.scrollTop < rowPx)}
    >
      <div class="events-space" style={{ height: `${virtual.height}px` }}>
        {virtual.items.map((item) => (
          <Row
            key={item.key}
            row={pages.row(item.index)}
            index={item.index}
            top={item.start}
            height={rowPx}
            active={item.index === active}
            showDay={showDay}
            onOpen={onOpen}
          />
        ))}
      </div>
      {pages.error !== undefined && <StaleNotice failure={pages.error} retry={() => pages.retry()} />}
      <div class="events-end small faint">
        {pages.full
          ? `The list ends at ${count(MAX_ROWS)} events. Narrow the filter or the time range to see the rest.`
          : pages.done
            ? pages.total > 0 && "No older events in this time range."
            : pages.total > 0 && "Loading older events …"}
      </div>
    </div>
  );
}
