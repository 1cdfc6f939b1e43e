/**
 * All that the Live page shows: the rows and what stands beside them, fed by
 * `state/live-stream.ts`. Arrivals only change plain objects; what draws is told
 * at most once per animation frame, and not at all while the tab is hidden.
 * Everything in here is bounded, whatever arrives and for however long.
 */
import { batch, signal } from "@preact/signals";
import { type EventJson, inReadingOrder } from "../../../workers/api/contract.ts";
import { ApiFailure } from "../api/client.ts";
import { isoToMs, toneOf } from "../lib/event-row.ts";
import { type Entry, LiveBuffer } from "../lib/live/buffer.ts";
import { addGone, addNotShown, between, noneMissing } from "../lib/live/counts.ts";
import { KnownVersions } from "../lib/live/known-versions.ts";
import { RateMeter } from "../lib/live/rate.ts";
import { type Connection, type EventsMessage, LiveStream, type StreamWorld } from "./live-stream.ts";

/** Rows that stay expanded at once. */
const MAX_EXPANDED = 20;
/** A pause keeps a little less than the list holds, so that going on shows where rows are missing, and some before. */
const WAITING_ROWS = 9_000;
const WAITING_CHARS = 14_000_000;
/** What a row of our own takes of the bound. */
const NOTE_CHARS = 200;
/** Figures that change faster than this cannot be read. */
const BEAT_MS = 250;

export interface FeedWorld extends StreamWorld {
  /** Calls back before the next paint. */
  frame(draw: () => void): void;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const isError = (event: EventJson): boolean => toneOf(textOf(event.level), event.kind) === "error";

export class LiveFeed {
  /** Moves once per frame when rows changed. */
  readonly drawn = signal(0);
  /** Moves a few times per second when figures did. */
  readonly beat = signal(0);
  readonly connection = signal<Connection>({ state: "connecting" });
  readonly paused = signal(false);
  readonly follow = signal(true);
  /** The filter that the rows came by; undefined until the server has said. */
  readonly applied = signal<string | undefined>(undefined);
  /** Why the filter that was asked for does not hold. */
  readonly mistake = signal<ApiFailure | undefined>(undefined);
  /** Row that the keyboard is at. */
  readonly active = signal<number | undefined>(undefined);
  readonly expanded = signal<ReadonlySet<number>>(new Set());

  readonly rows = new LiveBuffer();
  /** What arrived during a pause. */
  readonly waiting = new LiveBuffer(WAITING_ROWS, WAITING_CHARS);
  readonly meter = new RateMeter();
  missing = noneMissing();
  /** Ours, ms: since when the list has been filled. */
  begun: number;
  /** Rows that came since following ended. */
  fresh = 0;
  /** Where the list stands, px; it outlives the list, for when one comes back to it. */
  scrollTop = 0;
  /** The first row when it was drawn last: its number, and how many followers came before it. */
  firstDrawn = { n: 0, followers: 0 };
  /** Indexes of the rows on screen. */
  inView = { first: 0, last: 0 };
  /** By how much expanded rows are higher, px. */
  readonly extraPx = new Map<number, number>();

  readonly script: string;
  private readonly world: FeedWorld;
  private readonly versions = new KnownVersions();
  private readonly stream: LiveStream;
  private asked: string;
  /** Server's clock of the last message, ms. */
  private serverNow = 0;
  private pausedAt = 0;
  private rowsChanged = false;
  private frameAsked = false;
  private beatAt = 0;
  private beatTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: { script: string; q: string }, world: FeedWorld) {
    this.script = target.script;
    this.asked = target.q;
    this.world = world;
    this.begun = world.now();
    this.stream = new LiveStream(
      target,
      {
        connection: (now) => {
          this.connection.value = now;
        },
        ready: ({ q, now }) => {
          this.serverNow = now;
          if (this.applied.value !== undefined && this.applied.value !== q) this.clear();
          this.applied.value = q;
          if (q === this.asked) this.mistake.value = undefined;
        },
        events: (message, chars, since) => this.take(message, chars, since),
        resumed: (gone, from, to) => {
          this.missing = addGone(this.missing, gone, from, to);
          if (gone > 0) this.push({ note: { kind: "gone", ...between(from, to), events: gone } }, NOTE_CHARS);
        },
        problem: ({ code, message, details }) => {
          this.mistake.value = new ApiFailure(400, code, message, details);
        },
      },
      world,
    );
  }

  /** Without anybody who looks; what is there stays. */
  leave(): void {
    this.stream.leave();
  }

  comeBack(): void {
    this.stream.retry();
  }

  close(): void {
    this.stream.close();
    clearTimeout(this.beatTimer);
    this.clear();
  }

  /** The same again only where it was not taken. */
  filter(q: string): void {
    if (q === this.asked && this.mistake.value === undefined) return;
    this.asked = q;
    this.mistake.value = undefined;
    this.stream.filter(q);
  }

  /** Nothing comes, and nothing will: no filter has been taken yet, or the stream has ended. */
  get isIdle(): boolean {
    return this.applied.value === undefined || this.connection.value.state === "ended";
  }

  pause(): void {
    if (this.isIdle) return;
    this.pausedAt = this.serverNow;
    this.paused.value = true;
  }

  /** What waited comes in, in order; what did not fit is told in its place. */
  resume(): void {
    const { dropped } = this.waiting;
    const rows = this.waiting.drain();
    if (dropped > 0) {
      const first = rows[0]?.event;
      const to = first === undefined ? this.serverNow : isoToMs(first.time);
      const note = { kind: "dropped", from: Math.min(this.pausedAt, to), to, events: dropped } as const;
      this.rows.push({ note }, NOTE_CHARS);
    }
    for (const row of rows) this.rows.push(row, row.chars);
    if (!this.follow.value) this.fresh += rows.length;
    batch(() => {
      this.paused.value = false;
      this.drawn.value++;
      this.beat.value++;
    });
  }

  setFollow(on: boolean): void {
    if (on === this.follow.value) return;
    this.fresh = 0;
    this.follow.value = on;
  }

  toggle(n: number): void {
    const next = new Set(this.expanded.value);
    if (!next.delete(n)) {
      next.add(n);
      for (const oldest of next) {
        if (next.size <= MAX_EXPANDED) break;
        next.delete(oldest);
      }
    }
    for (const known of this.extraPx.keys()) if (!next.has(known)) this.extraPx.delete(known);
    batch(() => {
      this.expanded.value = next;
      this.active.value = n;
      if (next.has(n)) this.setFollow(false);
    });
  }

  /** An empty list, and counts from nothing. */
  clear(): void {
    this.rows.clear();
    this.waiting.clear();
    this.meter.clear();
    this.missing = noneMissing();
    this.begun = this.world.now();
    this.fresh = 0;
    this.scrollTop = 0;
    this.drawnFrom();
    this.extraPx.clear();
    batch(() => {
      this.paused.value = false;
      this.follow.value = true;
      this.active.value = undefined;
      this.expanded.value = new Set();
      this.drawn.value++;
      this.beat.value++;
    });
  }

  /** What is let go from now on is gone above what was drawn. */
  drawnFrom(): void {
    this.firstDrawn = { n: this.rows.firstNumber, followers: this.rows.followersEver(0) };
  }

  private take(message: EventsMessage, chars: number, since: number): void {
    const { events, matched, notShown } = message;
    this.serverNow = message.now;
    this.missing = addNotShown(this.missing, message, since);
    let errors = notShown?.errors ?? 0;
    for (const event of inReadingOrder(events)) {
      if (isError(event)) errors++;
      this.learn(event);
      // An equal share of the message: what counts is that they add up.
      this.push({ event }, Math.ceil(chars / events.length));
    }
    if (matched > 0) this.meter.add(this.world.now(), { matched, shown: events.length, errors });
    this.schedule();
  }

  private push(entry: Entry, chars: number): void {
    if (this.paused.value) {
      this.waiting.push(entry, chars);
    } else {
      this.rows.push(entry, chars);
      if (!this.follow.value) this.fresh++;
      this.rowsChanged = true;
    }
    this.schedule();
  }

  private learn(event: EventJson): void {
    this.versions.learn({
      script: event.script,
      versionId: textOf(event.version_id),
      tag: textOf(event.version_tag),
      message: textOf(event.version_message),
    });
  }

  private schedule(): void {
    if (this.frameAsked) return;
    this.frameAsked = true;
    this.world.frame(() => {
      this.frameAsked = false;
      const wait = this.beatAt + BEAT_MS - this.world.now();
      batch(() => {
        if (this.rowsChanged) this.drawn.value++;
        this.rowsChanged = false;
        if (wait <= 0) {
          this.beatAt = this.world.now();
          this.beat.value++;
        }
      });
      // What came since the last beat is told, too, when nothing more comes.
      if (wait > 0) this.beatTimer ??= setTimeout(() => this.beatLate(), wait);
    });
  }

  private beatLate(): void {
    this.beatTimer = undefined;
    this.schedule();
  }
}
