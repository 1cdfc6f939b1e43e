/**
 * One viewer: what it may be sent now, and what it is told later. The runtime
 * takes whatever is sent and queues it without bound, so a viewer says what it
 * has read; with a window's worth on its way it is sent no events but counted
 * for, and told as soon as it has read (docs/decisions/0020-flow-control.md).
 * What it is still to be told lies in the socket's attachment, so that it
 * survives the hub.
 */
import type { LiveCursor } from "../api/contract/live.ts";
import type { ViewerAttachment } from "./attachment.ts";
import type { ShardPosition } from "./contract.ts";
import { ERRORS_SHARE, MAX_WINDOW_CHARS, RESUMES_BURST, RESUMES_PER_S } from "./limits.ts";
import { type Frame, negative, slowFrame } from "./render.ts";
import { Talk } from "./requests.ts";
import { attach, sendTo } from "./sockets.ts";
import { addTally, emptyTally, isEmpty, type Tally } from "./tally.ts";
import type { Bucket } from "./thinning.ts";

/** Shards named when a slow viewer is told: the frame must fit its window. */
const TOLD_SHARDS = 100;

/** Entries up to these it has got from elsewhere, ahead of the pushes: until then it is shown what is pushed by itself. */
export interface Ahead {
  passed: Map<string, ShardPosition>;
  bucket: Bucket;
  until: number;
}

export class Viewer {
  readonly talk = new Talk();
  readonly returns = new Talk(RESUMES_PER_S, RESUMES_BURST);
  ahead: Ahead | undefined;
  /** What it asked for is answered one after the other. */
  work: Promise<void> = Promise.resolve();
  isGone = false;
  /** It has asked for what it missed. */
  hasResumed = false;
  /** Characters sent since the object has known it. */
  private sent = 0;
  /** Characters sent before that. */
  private base = 0;
  /** What `base` can be at most, by its first word after an eviction: no more was on its way then. */
  private mostBase: number | undefined;
  /** `base` is known, not guessed. */
  private readonly isExact: boolean;
  /** Characters read of all that were ever sent. */
  private read = 0;
  /** Not sent while it was slow. */
  private pending: Tally | undefined;
  /** Positions that it has heard of changed before this one. */
  private slowSince = 0;
  private waiters: (() => void)[] = [];
  private askers: (() => void)[] = [];

  constructor(
    readonly socket: WebSocket,
    readonly attachment: ViewerAttachment,
    isNew: boolean,
  ) {
    const { slow } = attachment;
    this.isExact = isNew || slow !== undefined;
    if (slow === undefined) return;
    this.base = slow.sent;
    this.read = slow.read;
    this.pending = slow.tally;
  }

  get isSlow(): boolean {
    return this.pending !== undefined;
  }

  fits(chars: number, window: number): boolean {
    const unread = this.unread;
    return unread === 0 || unread + chars <= window;
  }

  private get unread(): number {
    return Math.max(this.base + this.sent - this.read, 0);
  }

  /** False: its socket is dead. */
  send(text: string): boolean {
    this.sent += text.length;
    return sendTo(this.socket, text);
  }

  /** Sends what fits; the rest is counted. `change`: of the positions, before these frames. False: its socket is dead. */
  offer(frames: readonly Frame[], window: number, change: number): boolean {
    for (const frame of frames) {
      const { text } = frame;
      if (this.isSlow || !this.fits(text.length, window)) {
        if (!this.offerErrors(frame, window, change)) return false;
      } else if (!this.send(text)) return false;
    }
    return true;
  }

  /** Errors come as long as there is any room; what it does not get it is told of later. */
  private offerErrors({ tally, errors }: Frame, window: number, change: number): boolean {
    const frame = errors?.();
    const hasRoom = frame !== undefined && this.fits(frame.text.length, window * (1 + ERRORS_SHARE));
    const rest = { ...tally, kinds: { ...tally.kinds } };
    if (hasRoom) addTally(rest, negative(frame.tally));
    this.miss(rest, change);
    return !hasRoom || this.send(frame.text);
  }

  /** It is told of these later. */
  miss(tally: Tally, change: number): void {
    if (isEmpty(tally)) return;
    if (this.pending === undefined) {
      this.pending = emptyTally();
      this.slowSince = change;
    }
    addTally(this.pending, tally);
    this.save();
  }

  /** It has read so many characters in all. False: more than it was sent, so it says what is not true. */
  acknowledge(chars: number, slack: number): boolean {
    // What was sent before an eviction: the least that its words allow.
    if (!this.isExact) {
      const least = Math.max(chars - this.sent, 0);
      this.mostBase ??= least + MAX_WINDOW_CHARS;
      this.base = Math.max(this.base, Math.min(least, this.mostBase));
    }
    const sent = this.base + this.sent;
    if (chars > sent + slack) return false;
    this.read = Math.max(this.read, Math.min(chars, sent));
    this.wake();
    return true;
  }

  /** Tells what it was not sent, if it has read enough. False: its socket is dead. */
  tell(window: number, now: number, positionsSince: (change: number, most: number) => LiveCursor): boolean {
    if (this.pending === undefined || this.unread > window / 2) return true;
    const text = slowFrame(now, positionsSince(this.slowSince, TOLD_SHARDS), this.pending);
    if (!this.fits(text.length, window)) return true;
    this.pending = undefined;
    this.save();
    return this.send(text);
  }

  /** True when it has read something or has gone, false when that takes too long. */
  async reads(ms: number): Promise<boolean> {
    return await withTimer(ms, (resolve) => this.waiters.push(resolve));
  }

  /** When it has asked for what it missed, or a while later: one that comes again does so first. */
  async speaks(ms: number): Promise<void> {
    if (!this.hasResumed) await withTimer(ms, (resolve) => this.askers.push(resolve));
  }

  /** It asks for what it missed. */
  resumes(): void {
    this.hasResumed = true;
    for (const wake of this.askers.splice(0)) wake();
  }

  leave(): void {
    this.isGone = true;
    this.wake();
    for (const wake of this.askers.splice(0)) wake();
  }

  private wake(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** What let it in ends later than was known. */
  extend(expiresAt: number): void {
    this.attachment.who = { ...this.attachment.who, expiresAt };
    this.save();
  }

  save(): void {
    const { pending, attachment } = this;
    if (pending === undefined) delete attachment.slow;
    else attachment.slow = { sent: this.base + this.sent, read: this.read, tally: pending };
    attach(this.socket, attachment);
  }
}

/** Whether it was resolved before the time was over. */
async function withTimer(ms: number, wait: (resolve: () => void) => void): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const inTime = await new Promise<boolean>((resolve) => {
    wait(() => resolve(true));
    timer = setTimeout(() => resolve(false), ms);
  });
  clearTimeout(timer);
  return inTime;
}
