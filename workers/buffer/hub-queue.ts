/**
 * Entries of the log on their way to one hub. `push-queue.ts` puts them in; they
 * leave in order, one call at a time: whatever comes while a call is under way
 * goes with the next one. Appends never wait for any of it.
 *
 * What waits is bounded. Without room the extras go first (the hub makes trace
 * items of the events then), then the oldest entries, those with errors last;
 * how many events went with them is told with the next call (`missed`). A call
 * that fails is tried again as it was, later and later: the hub knows by the ids
 * what it has had already.
 */
import type { LiveEntry, LivePush, PushAnswer } from "../live/contract.ts";
import { within } from "../util/within.ts";
import {
  MAX_PUSH_CHARS,
  MAX_PUSH_ENTRIES,
  MAX_WAITING_CHARS,
  MAX_WAITING_ENTRIES,
  PUSH_GAP_MS,
  PUSH_RETRY_MS,
  PUSH_TIMEOUT_MS,
} from "./limits.ts";
import { backoff } from "./sealer.ts";

export interface QueueClock {
  now(): number;
  /** Calls back after a while; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

export interface HubQueueParts {
  clock: QueueClock;
  send(entries: LiveEntry[], missed: number): Promise<PushAnswer>;
  /** Still watched? Asked before each call. */
  wanted(): boolean;
  answered(answer: PushAnswer): void;
}

interface Waiting {
  entry: LiveEntry;
  batchId: string;
  /** Has errors in it. */
  essential: boolean;
  /** Its extras are awaited until then, ms; 0: they are not. */
  heldUntil: number;
}

export class HubQueue {
  private waiting: Waiting[] = [];
  private chars = 0;
  private missed = 0;
  /** Failed: goes again before anything else. */
  private again: Pick<LivePush, "entries" | "missed"> | undefined;
  private failures = 0;
  private isSending = false;
  /** The next call goes out no earlier, ms. */
  private notBefore = 0;
  private cancelTimer: (() => void) | undefined;

  constructor(private readonly parts: HubQueueParts) {}

  add(waiting: Waiting): void {
    this.waiting.push(waiting);
    this.chars += charsOf(waiting.entry);
    this.makeRoom();
    this.pump();
  }

  /** True while the extras of this append are awaited. */
  holds(batchId: string): boolean {
    return this.held(batchId) !== undefined;
  }

  supply(batchId: string, extras: string): void {
    const waiting = this.held(batchId);
    if (waiting === undefined) return;
    waiting.heldUntil = 0;
    waiting.entry = { ...waiting.entry, extras };
    this.chars += extras.length;
    this.makeRoom();
    this.pump();
  }

  private held(batchId: string): Waiting | undefined {
    const now = this.parts.clock.now();
    return this.waiting.find((w) => w.batchId === batchId && w.heldUntil > now);
  }

  private makeRoom(): void {
    if (this.chars > MAX_WAITING_CHARS) this.dropExtras();
    while (this.waiting.length > 1 && (this.chars > MAX_WAITING_CHARS || this.waiting.length > MAX_WAITING_ENTRIES)) {
      const at = this.waiting.findIndex(({ essential }) => !essential);
      const [dropped] = this.waiting.splice(Math.max(at, 0), 1) as [Waiting];
      this.chars -= charsOf(dropped.entry);
      this.missed += dropped.entry.rows;
    }
  }

  private dropExtras(): void {
    for (const waiting of this.waiting) {
      const { entry } = waiting;
      if (this.chars <= MAX_WAITING_CHARS) return;
      if (entry.extras === "") continue;
      this.chars -= entry.extras.length;
      waiting.entry = { ...entry, extras: "" };
    }
  }

  /** Sends what may go now, or sees to it that it goes later. */
  private pump(): void {
    if (this.isSending) return;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const now = this.parts.clock.now();
    const first = this.waiting[0];
    if (this.again === undefined && first === undefined) return;
    if (!this.parts.wanted()) {
      this.forget();
      return;
    }
    const held = this.again === undefined ? (first?.heldUntil ?? 0) : 0;
    const due = Math.max(this.notBefore, held);
    if (due > now) {
      this.cancelTimer = this.parts.clock.after(due - now, () => this.pump());
      return;
    }
    this.again ??= this.take(now);
    this.isSending = true;
    void this.send(this.again);
  }

  /** From the first entry up to one that is held, or as many as one call may carry; one at least. */
  private take(now: number): Pick<LivePush, "entries" | "missed"> {
    const entries: LiveEntry[] = [];
    let chars = 0;
    for (const { entry, heldUntil } of this.waiting) {
      const own = charsOf(entry);
      const full = entries.length === MAX_PUSH_ENTRIES || chars + own > MAX_PUSH_CHARS;
      if (entries.length > 0 && (full || heldUntil > now)) break;
      entries.push(entry);
      chars += own;
    }
    this.waiting.splice(0, entries.length);
    this.chars -= chars;
    const { missed } = this;
    this.missed = 0;
    return { entries, missed };
  }

  /** Never throws. */
  private async send({ entries, missed }: Pick<LivePush, "entries" | "missed">): Promise<void> {
    const { clock } = this.parts;
    const startedAt = clock.now();
    try {
      const answer = await within(PUSH_TIMEOUT_MS, "the hub", this.parts.send(entries, missed));
      this.parts.answered(answer);
      this.again = undefined;
      this.failures = 0;
      this.notBefore = startedAt + PUSH_GAP_MS;
    } catch (error) {
      this.failures += 1;
      // A hub that was moved or deployed anew is back at once.
      this.notBefore = clock.now() + (this.failures === 1 ? PUSH_RETRY_MS : backoff(this.failures - 1));
      if (this.failures === 1) console.warn("a push to viewers failed, trying again", String(error));
    }
    this.isSending = false;
    this.pump();
  }

  /** Nobody watches any more. */
  private forget(): void {
    this.waiting = [];
    this.chars = 0;
    this.missed = 0;
    this.again = undefined;
    this.failures = 0;
  }
}

const charsOf = ({ batch, extras }: LiveEntry) => batch.length + extras.length;
