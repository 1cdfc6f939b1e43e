/**
 * Keeps the windows of a channel's lanes filled: which lane is read next, how many
 * at once, how much of it fits into memory, and when a store that did not answer is
 * asked again. The channel's step starts it; it hands to `reading.ts`, puts what
 * that brings into the lane, and rings. What rules left out moves a cursor, too, so a
 * page is written down as an answer is (progress.ts).
 */
import type { Feed } from "../../api/contract/integrations.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { Ceiling } from "../rules/ceiling.ts";
import { backoffMs } from "./backoff.ts";
import type { Channel } from "./channel.ts";
import type { Lane } from "./lane.ts";
import { MESSAGE_CHARS, READS, STORE_MS, STRAY_BYTES, WINDOW_BYTES, WINDOW_ITEMS } from "./limits.ts";
import { commit } from "./progress.ts";
import { readBeyond, readLane } from "./reading.ts";

/** Lanes that are asked how much waits, in one sweep. */
const PEEKS = 32;

export class Filling {
  /** Reads that are under way. */
  reads = 0;
  /** What the store said that did not answer, and until when (ms) it is left alone. */
  storeError: string | null = null;
  storeUntil = 0;
  /** … in a row. */
  private storeFailures = 0;
  private ceiling: Ceiling;
  /** Of what is read beyond the windows: it is counted again when its turn comes. */
  private strayCeiling: Ceiling | null = null;
  /** What is under way from before a reset is not put into the new windows. */
  private generation = 0;

  constructor(private readonly channel: Channel) {
    this.ceiling = this.freshCeiling();
  }

  /** The channel's rules or values are others: what they counted and what is under way is of before. */
  reset(): void {
    this.generation += 1;
    this.ceiling = this.freshCeiling();
    this.strayCeiling = null;
  }

  /** Asks the store now, whatever it waits for. */
  hurry(): void {
    this.storeUntil = 0;
  }

  /** Starts what may be started. */
  start(now: number): void {
    if (now < this.storeUntil) return;
    // While nothing can be sent, there need be no more than what the next try is made with.
    if (this.channel.gate() > now && this.channel.pending > 0) return;
    for (const lane of this.channel.inTurn()) {
      if (this.reads >= READS) return;
      const what = lane.reading || lane.restUntil > now ? null : this.readable(lane, now);
      if (what !== null) void this.read(lane, what);
    }
  }

  /** What there is to read in a lane, as far as there is room for it. */
  readable(lane: Lane, now: number): "window" | "beyond" | null {
    if (!lane.hasNews) return null;
    const { bytes } = this.channel;
    if (lane.items < WINDOW_ITEMS && bytes < WINDOW_BYTES) return "window";
    const isEvents = lane.kind === "log" || lane.kind === "backfill";
    return isEvents && lane.mayStray && bytes < WINDOW_BYTES + STRAY_BYTES && this.mayStray(now) ? "beyond" : null;
  }

  /** Some kinds wait, others may go, and nobody minds the order. */
  mayStray(now: number): boolean {
    const { receiver, rules } = this.channel;
    if (receiver.integration.ordered) return false;
    const open = this.openFeeds(now);
    return open.length > 0 && open.length < rules.feeds.length;
  }

  private openFeeds(now: number): Feed[] {
    const { health, rules } = this.channel;
    const { waits } = health;
    return rules.feeds.filter((feed) => (waits[feed] ?? 0) <= now);
  }

  private readBeyond(lane: Lane, now: number) {
    this.strayCeiling ??= new Ceiling(this.channel.rules.perMinute, this.ceiling.state());
    const errorsOnly = this.openFeeds(now).every((feed) => feed === "errors" || feed === "notices");
    return readBeyond(this.channel, lane, this.strayCeiling, errorsOnly);
  }

  /** How much waits, where nothing is read because nothing can be sent: the page says so. */
  async peek(): Promise<void> {
    const lanes = [...this.channel.inTurn()].filter(({ kind, reading }) => kind === "log" && !reading).slice(0, PEEKS);
    const asked = lanes.map(({ shard, next }) => ({ shard, position: next }));
    const found = await this.channel.office.deps.sources.waiting(asked);
    for (const [i, lane] of lanes.entries()) {
      const one = found.get(lane.shard);
      if (one === undefined || lane.next !== asked[i]?.position || lane.reading) continue;
      lane.beyond = one.rows;
      lane.beyondOldest = one.oldest;
    }
  }

  private async read(lane: Lane, what: "window" | "beyond"): Promise<void> {
    const { channel, generation } = this;
    const { office } = channel;
    const { heard } = lane;
    lane.reading = true;
    this.reads += 1;
    office.started += 1;
    try {
      const reading =
        what === "window" ? readLane(channel, lane, this.ceiling) : this.readBeyond(lane, office.deps.now());
      const loaded = await within(STORE_MS, "reading what is to be delivered", reading);
      if (office.isGone() || generation !== this.generation || !channel.lanes.has(lane.key)) return;
      if (what === "window") {
        lane.load(loaded, loaded.next, office.deps.now());
        lane.hasNews = loaded.more || lane.heard !== heard;
      } else {
        lane.stray(loaded, loaded.next, channel.health.waits, office.deps.now());
        lane.strays.scouted = loaded.more ? -1 : heard;
      }
      this.storeFailures = 0;
      this.storeError = null;
      // What rules left out moves the cursor, too.
      commit(channel, [lane]);
    } catch (error) {
      this.storeFailures += 1;
      this.storeError = rootMessage(error).slice(0, MESSAGE_CHARS);
      const now = office.deps.now();
      this.storeUntil = now + backoffMs(this.storeFailures, office.deps.random());
    } finally {
      lane.reading = false;
      this.reads -= 1;
      office.ring();
    }
  }

  private freshCeiling(): Ceiling {
    const { name, office, rules } = this.channel;
    return new Ceiling(rules.perMinute, name === "own" ? office.state.ceiling : []);
  }
}
