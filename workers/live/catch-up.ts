/**
 * A viewer that comes again gets what it missed: from the Ingesters' logs what
 * the ring does not reach, then the ring, and then it joins the stream. Until then
 * it is held: the ring keeps what is pushed meanwhile, so the order holds and no
 * memory is spent on it. It is sent only as fast as it reads. What is nowhere any
 * more is counted by the positions (`gone`). `viewers.ts` calls it.
 */
import type { LiveCursor } from "../api/contract/live.ts";
import type { ShardPosition } from "./contract.ts";
import { openEntry } from "./entry.ts";
import {
  AHEAD_MS,
  MAX_FRAME_CHARS,
  MAX_MISSED_CHARS,
  REPLAY_PAGES,
  REPLAY_SHARDS,
  REPLAY_WIDTH,
  RING_MS,
  ROOM_MS,
} from "./limits.ts";
import { readPosition } from "./positions.ts";
import type { Replayed, Replays } from "./replays.ts";
import type { Received } from "./ring.ts";
import type { Stream } from "./stream.ts";
import { Bucket } from "./thinning.ts";
import type { Turns } from "./turns.ts";
import type { Viewer } from "./viewer.ts";

export interface CatchUpParts {
  stream: Stream;
  replays: Replays;
  /** A page each. */
  turns: Turns;
  /** Its Ingester may be asked. */
  isOurs(shard: string): boolean;
  shards(): Iterable<string>;
}

export interface Missed {
  cursor: LiveCursor;
  /** ms; for shards that are not in the cursor. 0: it is new. */
  since: number;
}

export class CatchUp {
  private readonly passed = new Map<string, ShardPosition>();
  private readonly bucket: Bucket;
  private gone = 0;

  constructor(
    private readonly parts: CatchUpParts,
    private readonly viewer: Viewer,
    private readonly missed: Missed,
    now: number,
  ) {
    const { rate } = viewer.attachment;
    // As much as it would have been shown meanwhile. A new one has not been anywhere.
    const awayMs = missed.since === 0 ? 0 : Math.min(Math.max(now - missed.since, 0), RING_MS);
    const seconds = awayMs / 1_000 + 1;
    this.bucket = new Bucket(rate, now, Math.ceil(rate * seconds));
    for (const [shard, text] of Object.entries(missed.cursor)) {
      const position = parts.isOurs(shard) ? readPosition(text) : undefined;
      if (position !== undefined) this.passed.set(shard, position);
    }
  }

  /** All there is, in order; returns how many events are gone. The viewer is to join the stream in the same turn. */
  async run(): Promise<number> {
    const { stream, shards } = this.parts;
    const asked = [...new Set([...this.passed.keys(), ...shards()])].filter((shard) => !this.isCovered(shard));
    for (let at = 0; at < Math.min(asked.length, REPLAY_SHARDS); at += REPLAY_WIDTH) {
      const slice = asked.slice(at, at + REPLAY_WIDTH);
      await Promise.all(slice.map((shard) => this.replay(shard)));
    }
    await this.fromRing(0);
    const passed = new Map([...this.passed].filter(([shard, { id }]) => id > stream.positions.passedOn(shard)));
    const until = Date.now() + AHEAD_MS;
    this.viewer.ahead = passed.size === 0 ? undefined : { passed, bucket: this.bucket, until };
    return this.gone;
  }

  /** Only what the ring got since a number: for a new viewer that was held a moment. Returns how many events are gone. */
  async fromRing(from: number): Promise<number> {
    const { ring } = this.parts.stream;
    let at = from;
    while (at < ring.end && !this.viewer.isGone) {
      const { entries, next } = ring.from(at, MAX_FRAME_CHARS);
      at = next;
      // What was decoded for this page can be let go before the next: all of the ring at once would not fit.
      await this.parts.turns.next();
      await this.send(entries.filter((entry) => this.isMissed(entry)));
    }
    return this.gone;
  }

  private isMissed({ shard, id, at }: Received): boolean {
    const passed = this.passed.get(shard);
    return passed === undefined ? at > this.missed.since : id > passed.id;
  }

  /** The ring goes on where the viewer was, or nothing has happened since. */
  private isCovered(shard: string): boolean {
    const { ring, positions } = this.parts.stream;
    const from = this.passed.get(shard);
    if (from === undefined) return false;
    const first = ring.find(shard, (entry) => this.isMissed(entry));
    if (first !== undefined) return first.through - first.rows <= from.through;
    const known = positions.get(shard);
    return known !== undefined && known.through <= from.through;
  }

  /** From the log what comes before the ring's first entry. */
  private async replay(shard: string): Promise<void> {
    const { ring } = this.parts.stream;
    const end = ring.find(shard, (entry) => this.isMissed(entry))?.id ?? Number.POSITIVE_INFINITY;
    let afterId = this.passed.get(shard)?.id ?? 0;
    for (let page = 0; page < REPLAY_PAGES && !this.viewer.isGone; page++) {
      const answer = await this.parts.replays.ask(shard, afterId, Date.now());
      if (answer === undefined) {
        this.giveUp(shard);
        return;
      }
      const { entries } = answer;
      await this.parts.turns.next();
      await this.send(entries.filter((entry) => entry.id < end && this.isMissed(entry)));
      const last = entries.at(-1);
      this.passSealed(shard, answer);
      if (last === undefined || !answer.more || last.id >= end) return;
      afterId = last.id;
    }
    // It is longer than what is read for one viewer.
    this.giveUp(shard);
  }

  /** Its log cannot be read: what the ring does not have either is not to be had. */
  private giveUp(shard: string): void {
    const { ring, positions } = this.parts.stream;
    const from = this.passed.get(shard);
    const known = positions.get(shard);
    if (from === undefined || known === undefined || ring.find(shard, (entry) => this.isMissed(entry))) return;
    this.gone += Math.max(known.through - from.through, 0);
    this.passed.set(shard, known);
  }

  /** Nothing is left in the log of what was sealed meanwhile; the ring may have the end of it. */
  private passSealed(shard: string, { sealedThrough }: Replayed): void {
    const from = this.passed.get(shard);
    if (from === undefined) return;
    const first = this.parts.stream.ring.find(shard, (entry) => this.isMissed(entry));
    const through = Math.min(sealedThrough, first === undefined ? sealedThrough : first.through - first.rows);
    if (through <= from.through) return;
    this.gone += through - from.through;
    this.passed.set(shard, { id: from.id, through });
  }

  private async send(entries: readonly Received[]): Promise<void> {
    if (entries.length === 0) return;
    const { stream } = this.parts;
    const { viewer } = this;
    for (const entry of entries) this.pass(entry);
    const open = entries.map(openEntry);
    if (viewer.isSlow) {
      stream.missFor(viewer, open, Date.now());
      return;
    }
    const frames = stream.renderFor(viewer, open, this.bucket, Date.now(), MAX_MISSED_CHARS);
    for (const frame of frames) {
      while (!viewer.isGone && !viewer.isSlow && !viewer.fits(frame.text.length, stream.window)) {
        if (!(await viewer.reads(ROOM_MS))) break;
      }
      if (viewer.isGone) return;
      viewer.offer([frame], stream.window, stream.positions.change);
    }
  }

  /** Two positions tell how many events lie between. */
  private pass({ shard, id, through, rows }: Received): void {
    const from = this.passed.get(shard);
    if (from !== undefined) this.gone += Math.max(through - rows - from.through, 0);
    this.passed.set(shard, { id, through });
  }
}
