/**
 * Entries → the frames of an audience: compared with its filter, thinned to its
 * rate, written once. Each frame says how many events matched, so that what a
 * viewer has heard adds up, and carries a tally of them, so that a viewer who
 * cannot be sent it now is told so later (`viewer.ts`).
 */
import type { LiveCursor, LiveMessage } from "../api/contract/live.ts";
import type { OpenEntry } from "./entry.ts";
import type { LiveFilter } from "./filter.ts";
import { positionText } from "./positions.ts";
import type { StepBudget } from "./steps.ts";
import { addTally, emptyTally, isEmpty, type Tally } from "./tally.ts";
import { type Bucket, type Candidates, thin } from "./thinning.ts";

type Because = NonNullable<Extract<LiveMessage, { type: "events" }>["because"]>;

export interface Frame {
  text: string;
  /** Of all that it tells of, shown or not. */
  tally: Tally;
  /** Only the errors in it, for a viewer that has no room for the rest: without a position, since it has not got past it. */
  errors?: () => Frame | undefined;
}

export interface Rendering {
  filter: LiveFilter;
  bucket: Bucket;
  budget: StepBudget;
  now: number;
  /** Of a frame; an event that is longer is not shown. */
  maxChars: number;
  /** Of all frames; what is beyond is not shown. */
  maxTotal: number;
  /** Events that came without being pushed. */
  unchecked?: number;
}

/** Counts only: for an audience that cannot be sent anything at present. */
export function count(
  entries: readonly OpenEntry[],
  { filter, budget, unchecked = 0 }: Pick<Rendering, "filter" | "budget" | "unchecked">,
): Tally {
  const total = emptyTally();
  total.unchecked = unchecked;
  for (const entry of entries) {
    const compared = entry.compare(filter, budget);
    addTally(total, entry.tally(compared.mask));
    total.unchecked += compared.unchecked;
  }
  return total;
}

/** No frames when nothing matched. */
export function render(entries: readonly OpenEntry[], rendering: Rendering): Frame[] {
  const { filter, bucket, budget, now, maxChars, maxTotal } = rendering;
  const candidates: Candidates[] = [];
  const tallies: Tally[] = [];
  for (const [k, entry] of entries.entries()) {
    const { mask, unchecked } = entry.compare(filter, budget);
    const tally = entry.tally(mask);
    tally.unchecked += unchecked + (k === 0 ? (rendering.unchecked ?? 0) : 0);
    tallies.push(tally);
    candidates.push({ entry, mask, events: tally.events, errors: tally.errors });
  }
  if (tallies.every(isEmpty)) return [];
  const shown = thin(candidates, bucket, now);
  const writer = new FrameWriter(now, maxChars, maxTotal);
  for (const [k, entry] of entries.entries()) writer.entry(entry, shown[k] as Uint8Array, tallies[k] as Tally);
  return writer.finish();
}

class FrameWriter {
  private readonly frames: Frame[] = [];
  private chars = 0;
  /** Of the frame at hand. */
  private at: LiveCursor = {};
  private texts: string[] = [];
  private textChars = 0;
  private matched = emptyTally();
  private notShown = emptyTally();
  private rows: Rows[] = [];
  /** Events of the frame at hand that had no room, though the rate would have shown them. */
  private cut = 0;

  constructor(
    private readonly now: number,
    private readonly maxChars: number,
    private readonly maxTotal: number,
  ) {}

  entry(entry: OpenEntry, shown: Uint8Array, matched: Tally): void {
    const sent = new Uint8Array(shown.length);
    for (let row = shown.indexOf(1); row >= 0; row = shown.indexOf(1, row + 1)) {
      if (this.chars > this.maxTotal) {
        this.cut += shown.subarray(row).reduce((sum, bit) => sum + bit, 0);
        break;
      }
      const text = entry.text(row);
      if (text.length > this.maxChars) {
        this.cut++;
        continue;
      }
      if (this.textChars + text.length > this.maxChars && this.texts.length > 0) {
        // In the middle of an entry: its position is told with its last event.
        addTally(matched, negative(this.flushRows(entry, sent)));
        sent.fill(0);
      }
      sent[row] = 1;
      this.texts.push(text);
      this.textChars += text.length + 1;
      this.chars += text.length;
    }
    addTally(this.matched, matched);
    addTally(this.notShown, matched);
    addTally(this.notShown, negative(entry.tally(sent)));
    this.rows.push({ entry, mask: sent });
    this.at[entry.raw.shard] = positionText(entry.raw);
  }

  /** Sends what was written so far, of this entry too; returns what that was of it. */
  private flushRows(entry: OpenEntry, sent: Uint8Array): Tally {
    const rows = entry.tally(sent);
    this.rows.push({ entry, mask: sent.slice() });
    addTally(this.matched, rows);
    this.flush();
    return rows;
  }

  finish(): Frame[] {
    if (!isEmpty(this.matched)) this.flush();
    return this.frames;
  }

  private flush(): void {
    const { now, at, matched, notShown, cut, rows } = this;
    // One reason a frame: that of most.
    const because = 2 * cut > notShown.events ? "size" : "rate";
    const text = eventsFrame({ now, at, texts: this.texts, matched, notShown, because });
    let errors: Frame | undefined;
    this.frames.push({ text, tally: matched, errors: () => (errors ??= errorsOf(rows, matched, now)) });
    this.rows = [];
    this.at = {};
    this.texts = [];
    this.textChars = 0;
    this.matched = emptyTally();
    this.notShown = emptyTally();
    this.cut = 0;
  }
}

/** Rows of an entry that are in a frame. */
interface Rows {
  entry: OpenEntry;
  mask: Uint8Array;
}

function errorsOf(rows: readonly Rows[], { errors }: Tally, now: number): Frame | undefined {
  if (errors === 0) return undefined;
  const tally = emptyTally();
  const texts: string[] = [];
  for (const { entry, mask } of rows) {
    const both = mask.map((bit, row) => bit & (entry.errors[row] ?? 0));
    addTally(tally, entry.tally(both));
    for (let row = both.indexOf(1); row >= 0; row = both.indexOf(1, row + 1)) texts.push(entry.text(row));
  }
  if (texts.length === 0) return undefined;
  return { text: eventsFrame({ now, at: {}, texts, matched: tally, notShown: emptyTally(), because: "slow" }), tally };
}

export function negative(tally: Tally): Tally {
  const kinds: Tally["kinds"] = {};
  for (const kind in tally.kinds) kinds[kind as keyof typeof kinds] = -(tally.kinds[kind as keyof typeof kinds] ?? 0);
  return { events: -tally.events, errors: -tally.errors, unchecked: -tally.unchecked, kinds };
}

interface EventsFrame {
  now: number;
  at: LiveCursor;
  /** Events as JSON. */
  texts?: readonly string[];
  matched: Tally;
  notShown: Tally;
  because: Because;
}

/** A message of type `events`. */
export function eventsFrame({ now, at, texts = [], matched, notShown, because }: EventsFrame): string {
  // Put together piece by piece: joined first, all of it would be copied once more.
  let text = `{"type":"events","now":${now},"at":${JSON.stringify(at)},"events":[${texts[0] ?? ""}`;
  for (let k = 1; k < texts.length; k++) text += `,${texts[k]}`;
  text += `],"matched":${matched.events}`;
  if (notShown.events > 0) {
    const { events, errors, kinds } = notShown;
    const counted = Object.fromEntries(Object.entries(kinds).filter(([, n]) => n > 0));
    text += `,"notShown":${JSON.stringify({ events, errors, kinds: counted })},"because":"${because}"`;
  }
  if (matched.unchecked > 0) text += `,"unchecked":${matched.unchecked}`;
  return `${text}}`;
}

/** Positions, when nothing that was to be seen has passed. */
export const positionsFrame = (now: number, at: LiveCursor): string =>
  eventsFrame({ now, at, matched: emptyTally(), notShown: emptyTally(), because: "rate" });

/** What a viewer was not sent while it did not read. */
export const slowFrame = (now: number, at: LiveCursor, tally: Tally): string =>
  eventsFrame({ now, at, matched: tally, notShown: tally, because: "slow" });

export const messageText = (message: Exclude<LiveMessage, { type: "events" }>): string => JSON.stringify(message);
