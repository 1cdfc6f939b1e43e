/**
 * From an Ingester's push to the viewers: what is new goes into the ring, and past
 * every audience. All of it in one turn, so that when a push has been answered
 * nothing of it is left in memory but what attachments hold. `hub.ts` hands in the
 * pushes; viewers who come again get theirs through `catch-up.ts` and join here.
 */

import { rootMessage } from "../util/error-message.ts";
import { type Audience, Audiences } from "./audiences.ts";
import type { LiveEntry, LivePush } from "./contract.ts";
import { OpenEntry } from "./entry.ts";
import type { Filters } from "./filters.ts";
import {
  MAX_FRAME_CHARS,
  MAX_PUSH_CHARS,
  MAX_REST_CHARS,
  MAX_REST_MS,
  MAX_WINDOW_CHARS,
  MIN_WINDOW_CHARS,
  POSITION_MS,
  REST_MS_PER_FRAME,
  REST_MS_PER_SAMPLE,
  UNREAD_CHARS,
} from "./limits.ts";
import { Positions } from "./positions.ts";
import { count, positionsFrame, render } from "./render.ts";
import { type Received, Ring } from "./ring.ts";
import { StepBudget } from "./steps.ts";
import { emptyTally } from "./tally.ts";
import type { Bucket } from "./thinning.ts";
import type { Ahead, Viewer } from "./viewer.ts";

/** What a push brings that has not been heard before. */
interface Fresh {
  entries: Received[];
  /** Events that were logged and did not come. */
  gap: number;
}

export interface StreamParts {
  filters: Filters;
  /** Sockets that share what may be on its way. */
  sockets(): number;
  /** Its socket is dead. */
  lost(viewer: Viewer): void;
}

export class Stream {
  readonly ring = new Ring();
  readonly positions = new Positions();
  readonly audiences: Audiences;
  private readonly budget = new StepBudget(0);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: StreamParts) {
    this.audiences = new Audiences(parts.filters);
  }

  /** Characters that may be on their way to one viewer. */
  get window(): number {
    const share = Math.floor(UNREAD_CHARS / Math.max(this.parts.sockets(), 1));
    return Math.min(Math.max(share, MIN_WINDOW_CHARS), MAX_WINDOW_CHARS);
  }

  /** The entries that are new, decoded once for all who look, the events that did not come, and how long the next push may wait. */
  push(push: LivePush, now: number): { open: OpenEntry[]; gap: number; restMs: number } {
    const before = this.positions.change;
    const isFirst = this.positions.passedOn(push.shard) === 0;
    const { entries, gap } = this.receive(push, now);
    if (entries.length === 0) return { open: [], gap, restMs: 0 };
    const open = entries.map((entry) => new OpenEntry(entry));
    this.budget.refill(now);
    // Nobody knows what of it was sent before an eviction: told apart, a viewer drops what it heard by the position.
    const parts = isFirst ? open.map((entry) => [entry]) : [open];
    let restMs = 0;
    for (const [k, part] of parts.entries()) {
      for (const audience of this.audiences.all())
        restMs += this.tryShow(audience, part, k === 0 ? gap : 0, before, now);
    }
    if (this.timer === undefined && this.anyBehind()) this.timer = setTimeout(() => this.tellPositions(), POSITION_MS);
    const chars = entries.reduce((sum, { batch }) => sum + batch.length, 0);
    // Much came: more is waiting, and what waits too long is dropped unseen.
    return { open, gap, restMs: chars > MAX_REST_CHARS ? 0 : Math.min(Math.floor(restMs), MAX_REST_MS) };
  }

  /** For one viewer alone, from a bucket of its own. */
  renderFor(viewer: Viewer, entries: readonly OpenEntry[], bucket: Bucket, now: number, maxTotal = MAX_PUSH_CHARS) {
    const read = this.parts.filters.peek(viewer.attachment.q ?? "", now);
    if (!read.ok || viewer.attachment.q === null) return [];
    this.budget.refill(now);
    const { budget, frameChars: maxChars } = this;
    return render(entries, { filter: read.filter, bucket, budget, now, maxChars, maxTotal });
  }

  /** For one viewer alone that reads too slowly: counted, and told later. */
  missFor(viewer: Viewer, entries: readonly OpenEntry[], now: number): void {
    const read = this.parts.filters.peek(viewer.attachment.q ?? "", now);
    if (!read.ok || viewer.attachment.q === null) return;
    this.budget.refill(now);
    viewer.miss(count(entries, { filter: read.filter, budget: this.budget }), this.positions.change);
  }

  /** Nobody is told any more: what comes next has a new beginning. */
  reset(): void {
    this.ring.clear();
    this.positions.clear();
  }

  private get frameChars(): number {
    return Math.min(MAX_FRAME_CHARS, this.window);
  }

  private receive({ script, shard, entries, missed }: LivePush, now: number): Fresh {
    const fresh: Received[] = [];
    let gap = 0;
    for (const [k, entry] of entries.entries()) {
      const last = this.positions.get(shard);
      if (last === undefined) gap += k === 0 ? missed : 0;
      else if (entry.id > last.id) gap += Math.max(entry.through - entry.rows - last.through, 0);
      else if (isKnown(entry, last)) continue;
      this.positions.pass(shard, entry);
      if (entry.rows === 0) continue;
      const received = { ...entry, script, shard };
      fresh.push(received);
      this.ring.add(received, now);
    }
    return { entries: fresh, gap };
  }

  /** What cannot be shown to one audience keeps no other from seeing, and is told to that one. */
  private tryShow(audience: Audience, open: readonly OpenEntry[], gap: number, before: number, now: number): number {
    try {
      return this.show(audience, open, gap, before, now);
    } catch (error) {
      console.error(`BUG: events cannot be shown by "${audience.filter.q}": ${rootMessage(error)}`);
      const unchecked = open.reduce((sum, { raw }) => sum + raw.rows, gap);
      for (const viewer of audience.members) viewer.miss({ ...emptyTally(), unchecked }, before);
      return 0;
    }
  }

  /** Returns how long to rest for it. */
  private show(audience: Audience, open: readonly OpenEntry[], gap: number, before: number, now: number): number {
    const { filter, bucket, members } = audience;
    const { budget, window, frameChars: maxChars } = this;
    const rendering = { filter, bucket, budget, now, maxChars, maxTotal: MAX_PUSH_CHARS, unchecked: gap };
    let frames: ReturnType<typeof render> | undefined;
    for (const viewer of members) {
      if (viewer.ahead !== undefined && viewer.ahead.until > now)
        this.showRest(viewer, viewer.ahead, open, before, now);
      else {
        frames ??= render(open, rendering);
        if (!viewer.offer(frames, window, before)) this.parts.lost(viewer);
      }
    }
    if (frames?.length === 0) audience.behind ??= before;
    return this.restFor(frames?.length ?? 0, audience);
  }

  /** Who sees a sample anyway sees it in fewer, fuller frames, as long as there is room in them. */
  private restFor(frames: number, { bucket, members }: Audience): number {
    const hasRoom = frames === 1 && this.window >= 2 * MAX_FRAME_CHARS;
    const each = bucket.isShort && hasRoom ? REST_MS_PER_SAMPLE : REST_MS_PER_FRAME;
    return frames * members.size * each;
  }

  /** To one that got some of these from an Ingester's log already. */
  private showRest(
    viewer: Viewer,
    { passed, bucket }: Ahead,
    open: readonly OpenEntry[],
    before: number,
    now: number,
  ): void {
    const rest = open.filter(({ raw }) => raw.id > (passed.get(raw.shard)?.id ?? 0));
    for (const { raw } of open) if ((passed.get(raw.shard)?.id ?? 0) <= raw.id) passed.delete(raw.shard);
    if (passed.size === 0) viewer.ahead = undefined;
    if (rest.length === 0) return;
    const frames = this.renderFor(viewer, rest, bucket, now);
    if (!viewer.offer(frames, this.window, before)) this.parts.lost(viewer);
  }

  private anyBehind(): boolean {
    for (const { behind } of this.audiences.all()) if (behind !== undefined) return true;
    return false;
  }

  /** Once, a moment after events have passed that were not for everybody: no timer runs while nothing happens. */
  private tellPositions(): void {
    this.timer = undefined;
    const now = Date.now();
    for (const audience of this.audiences.all()) {
      const { behind, members } = audience;
      if (behind === undefined) continue;
      audience.behind = undefined;
      const text = positionsFrame(now, this.positions.since(behind));
      for (const viewer of members) {
        if (viewer.isSlow || !viewer.fits(text.length, this.window)) continue;
        if (!viewer.send(text)) this.parts.lost(viewer);
      }
    }
  }
}

/** Passed on before. Not so when its log lost its storage and began anew, or when it was logged before the hub asked where the log is. */
function isKnown(entry: LiveEntry, last: { through: number; at: number }): boolean {
  return last.at > 0 && (entry.at <= last.at || entry.through > last.through);
}
