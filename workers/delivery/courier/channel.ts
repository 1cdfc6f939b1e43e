/**
 * One receiver and the cursors that lead to it. A Courier has one for its destination,
 * and a second while a failover carries for it; `engine.ts` and `carrying.ts` say when
 * it makes a step. It has the lanes, and says when it wants to go on (`wakeAt`), since
 * nothing here waits for a time: the alarm brings it there. Its two halves are apart:
 * `filling.ts` reads into the lanes' windows, `sending.ts` sends out of them. Both are
 * handed the channel, as how much is held and what is under way is one sum for both.
 */
import type { ChannelName } from "./book.ts";
import { CLOSED } from "./breaker.ts";
import { Filling } from "./filling.ts";
import { Lane, type LaneKind, type LaneState, laneKey } from "./lane.ts";
import { WINDOW_BYTES } from "./limits.ts";
import type { Receiver, Rules } from "./needs.ts";
import type { Office } from "./office.ts";
import { Sending } from "./sending.ts";
import type { Terms } from "./slot.ts";
import { gateOf, type ReceiverState } from "./state.ts";

export class Channel {
  readonly lanes = new Map<string, Lane>();
  /** Lane to begin with: reads and batches go round. */
  turn = 0;
  private readonly filling: Filling;
  private readonly sending: Sending;

  constructor(
    readonly name: ChannelName,
    readonly office: Office,
    public receiver: Receiver,
    public rules: Rules,
  ) {
    this.filling = new Filling(this);
    this.sending = new Sending(this);
    for (const state of office.book.readLanes(name)) {
      const mark = name === "own" ? office.state.scouts[laneKey(state.kind, state.shard)] : undefined;
      this.put(new Lane(state, mark));
    }
  }

  get health(): ReceiverState {
    const { state } = this.office;
    return this.name === "own" ? state.receiver : state.via;
  }

  set health(next: ReceiverState) {
    if (this.name === "own") this.office.state.receiver = next;
    else this.office.state.via = next;
  }

  get busy(): number {
    return this.sending.sends + this.filling.reads;
  }

  /** More may come into the windows in a moment. */
  get isReading(): boolean {
    return this.filling.reads > 0;
  }

  has(kind: LaneKind, shard: string): boolean {
    return this.lanes.has(laneKey(kind, shard));
  }

  /** A lane that begins at a position, unless there is one. */
  beginAt(kind: LaneKind, shard: string, script: string, through: number): void {
    if (this.has(kind, shard)) return;
    const state: LaneState = { kind, shard, script, position: { through, offset: 0 }, ahead: new Set() };
    this.put(new Lane(state));
    this.office.book.writeLane(this.name, state);
  }

  end(kind: LaneKind, shard: string): void {
    const key = laneKey(kind, shard);
    this.lanes.delete(key);
    if (this.name === "own") delete this.office.state.scouts[key];
    this.office.book.dropLane(this.name, key);
  }

  news(kind: LaneKind, shard: string): boolean {
    const lane = this.lanes.get(laneKey(kind, shard));
    lane?.news();
    return lane !== undefined;
  }

  /** Other values, other rules: what was read by those of before is forgotten. Nothing may be under way. */
  reset(receiver: Receiver, rules: Rules): void {
    const { sends } = this.sending;
    if (sends > 0) throw new Error(`BUG: a channel is reset with ${sends} batches under way`);
    this.receiver = receiver;
    this.rules = rules;
    for (const lane of this.lanes.values()) lane.reset();
    this.filling.reset();
  }

  /** Tries now, whatever it waits for. */
  retryNow(): void {
    this.health = { ...this.health, breaker: CLOSED, hold: null, refusedInRow: 0, waits: {} };
    this.filling.hurry();
    for (const lane of this.lanes.values()) lane.hurry();
  }

  /** Starts what may be started. */
  step(): void {
    const now = this.office.deps.now();
    this.filling.start(now);
    while (this.sending.start(now));
  }

  /** Nothing is here, and nothing is known to come. */
  get isDrained(): boolean {
    return [...this.lanes.values()].every((lane) => lane.isDrained);
  }

  /** Items that were read and wait, or are under way. */
  get pending(): number {
    let n = 0;
    for (const lane of this.lanes.values()) n += lane.waitingItems + lane.flying;
    return n;
  }

  /** ms since the epoch; null: only news brings it on. */
  wakeAt(now: number): number | null {
    const gate = this.gate();
    const { terms } = this;
    const mayRead = gate <= now || this.pending === 0;
    let soonest: number | null = null;
    const wants = (at: number) => {
      if (soonest === null || at < soonest) soonest = at;
    };
    for (const lane of this.lanes.values()) {
      if (mayRead && this.filling.readable(lane, now) !== null)
        wants(Math.max(lane.restUntil, this.filling.storeUntil));
      const sendAt = lane.waitingItems > 0 ? lane.sendAt(terms) : null;
      if (sendAt !== null) wants(Math.max(gate, sendAt));
    }
    return soonest;
  }

  /** ms that a batch may grow. */
  get lingerMs(): number {
    const { integration, values } = this.receiver;
    return integration.linger?.(values).ms ?? 0;
  }

  /** How long the item waits that was read first, beyond what it is meant to. */
  waitedMs(now: number): number {
    let since = now;
    for (const lane of this.lanes.values()) since = Math.min(since, lane.head?.since ?? now);
    return Math.max(0, now - since - this.lingerMs);
  }

  /** How far behind live events are, by their own time; 0 when all was read and is done. */
  behindMs(now: number): number {
    let behind = 0;
    for (const lane of this.lanes.values()) {
      if (!lane.isLive || lane.isDrained) continue;
      // After an edit or an eviction: nobody knows yet.
      if (!lane.wasRead) return Number.POSITIVE_INFINITY;
      const at = lane.oldest;
      if (at !== null) behind = Math.max(behind, now - at - this.lingerMs);
    }
    return behind;
  }

  /** ms: nothing is sent before. */
  gate(): number {
    return gateOf(this.health);
  }

  /** What a store of ours said that did not answer. */
  get storeError(): string | null {
    return this.filling.storeError;
  }

  /** Some kinds wait, others may go, and nobody minds the order. */
  mayStray(now: number): boolean {
    return this.filling.mayStray(now);
  }

  /** How much waits, where nothing is read because nothing can be sent: the page says so. */
  async peek(): Promise<void> {
    await this.filling.peek();
  }

  /** What keeps items back that are no trouble of their own. */
  get terms(): Terms {
    const { integration, values } = this.receiver;
    const linger = integration.linger?.(values) ?? null;
    // Nothing more can be read for them: as large as they are.
    const isFull = this.bytes >= WINDOW_BYTES / 2;
    return {
      ordered: integration.ordered,
      waits: this.health.waits,
      linger: linger !== null && isFull ? { ...linger, ms: 0 } : linger,
    };
  }

  /** Rough: what is held in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const lane of this.lanes.values()) bytes += lane.bytes;
    return bytes;
  }

  /** Its cursors moved, or work came while there was none. */
  moved(): void {
    const { state, deps } = this.office;
    const key = this.name === "own" ? "movedAt" : "viaMovedAt";
    state[key] = Math.max(state[key], deps.now());
  }

  /** All lanes, each time beginning with the next. */
  *inTurn(): Generator<Lane> {
    const lanes = [...this.lanes.values()];
    for (let n = 0; n < lanes.length; n++) yield lanes[(this.turn + n) % lanes.length] as Lane;
    this.turn += 1;
  }

  private put(lane: Lane): void {
    this.lanes.set(lane.key, lane);
  }
}
