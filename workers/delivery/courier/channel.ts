/**
 * One receiver and the cursors that lead to it: reads pages, cuts batches, sends
 * them, and writes down what came of each. A Courier has one for its destination,
 * and a second while a failover carries for it. Nothing here waits for a time: it
 * says when it wants to go on (`wakeAt`), and the alarm brings it there.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Failure, SendResult } from "../../integrations/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { Ceiling } from "../rules/ceiling.ts";
import { askedMs, backoffMs } from "./backoff.ts";
import { cut } from "./batcher.ts";
import type { Book, ChannelName } from "./book.ts";
import { allows, CLOSED, probing } from "./breaker.ts";
import type { Dependencies, Receiver, Rules } from "./desk.ts";
import { Lane, type LaneKind, type LaneState, laneKey, type Passed, type Slot, type Terms } from "./lane.ts";
import {
  MESSAGE_CHARS,
  PROBE_ITEMS,
  READS,
  SEND_MS,
  STORE_MS,
  STRAY_BYTES,
  WINDOW_BYTES,
  WINDOW_ITEMS,
} from "./limits.ts";
import type { Measures } from "./measures.ts";
import { judge, type Verdict } from "./outcomes.ts";
import { readBeyond, readLane } from "./reading.ts";
import { reacted, shortened } from "./receiver.ts";
import { type CourierState, ceilingPassed, gateOf, type ReceiverState } from "./state.ts";

/** What both channels of a Courier share. */
export interface Office {
  id: string;
  deps: Dependencies;
  book: Book;
  state: CourierState;
  measures: Measures;
  /** Reads and sends that were begun. */
  started: number;
  /** What is in memory is not on disk: the run ends, and begins again with what is there. */
  breaks(error: unknown): void;
  /** Something ended: the loop looks again. */
  ring(): void;
  /** Removed while something was under way: nothing is written any more. */
  isGone(): boolean;
}

/** Slots of a lane that one probe begins after the one before: one item cannot fail them all. */
const PROBE_STRIDE = 16;
const PROBE_PLACES = 4;
/** Lanes that are asked how much waits, in one sweep. */
const PEEKS = 32;

export class Channel {
  readonly lanes = new Map<string, Lane>();
  /** Sends and reads that are under way. */
  sends = 0;
  private reads = 0;
  private turn = 0;
  private ceiling: Ceiling;
  /** Of what is read beyond the windows: it is counted again when its turn comes. */
  private strayCeiling: Ceiling | null = null;
  /** A store did not answer: since when in a row, and what it said. */
  storeFailures = 0;
  storeError: string | null = null;
  private storeUntil = 0;
  /** What is under way from before a reset is not put into the new windows. */
  private generation = 0;

  constructor(
    readonly name: ChannelName,
    readonly office: Office,
    public receiver: Receiver,
    public rules: Rules,
  ) {
    this.ceiling = this.freshCeiling();
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
    return this.sends + this.reads;
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
    if (this.sends > 0) throw new Error(`BUG: a channel is reset with ${this.sends} batches under way`);
    this.receiver = receiver;
    this.rules = rules;
    this.generation += 1;
    for (const lane of this.lanes.values()) lane.reset();
    this.ceiling = this.freshCeiling();
    this.strayCeiling = null;
  }

  /** Tries now, whatever it waits for. */
  retryNow(): void {
    this.health = { ...this.health, breaker: CLOSED, hold: null, refusedInRow: 0, waits: {} };
    this.storeUntil = 0;
    for (const lane of this.lanes.values()) lane.hurry();
  }

  /** Starts what may be started. */
  step(): void {
    const now = this.office.deps.now();
    this.startReads(now);
    while (this.startSend(now));
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
      if (mayRead && this.readable(lane, now) !== null) wants(Math.max(lane.restUntil, this.storeUntil));
      const sendAt = lane.waitingItems > 0 ? lane.sendAt(terms) : null;
      if (sendAt !== null) wants(Math.max(gate, sendAt));
    }
    return soonest;
  }

  /** Of every lane it is known how much waits. */
  get isCounted(): boolean {
    return [...this.lanes.values()].every(({ beyond }) => beyond !== null);
  }

  /** Events that wait and may match, as far as is known. */
  queued(): number | null {
    let sum = 0;
    let known = 0;
    for (const lane of this.lanes.values()) {
      if (lane.beyond === null && lane.items === 0) continue;
      known += 1;
      sum += lane.waitingItems + lane.flying + (lane.beyond ?? 0);
    }
    if (known === 0 && this.lanes.size > 0) return null;
    return sum;
  }

  /** ms since the epoch of the oldest event that waits; a back-fill is old by its nature. */
  oldest(): number | null {
    let oldest: number | null = null;
    for (const lane of this.lanes.values()) {
      const at = lane.isLive ? lane.oldest : null;
      if (at !== null && (oldest === null || at < oldest)) oldest = at;
    }
    return oldest;
  }

  /** ms since the epoch: all that was read waits until then, and is meant to; null when something may go, or nothing is there. */
  dueAt(now: number): number | null {
    if (this.storeError !== null || this.gate() > now) return null;
    const { terms } = this;
    let soonest: number | null = null;
    for (const lane of this.lanes.values()) {
      if (lane.flying > 0) return null;
      const at = lane.waitingItems > 0 ? lane.sendAt(terms) : null;
      if (at !== null && (soonest === null || at < soonest)) soonest = at;
    }
    return soonest !== null && soonest > now ? soonest : null;
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

  private put(lane: Lane): void {
    this.lanes.set(lane.key, lane);
  }

  private freshCeiling(): Ceiling {
    return new Ceiling(this.rules.perMinute, this.name === "own" ? this.office.state.ceiling : []);
  }

  // Reading

  private startReads(now: number): void {
    if (now < this.storeUntil) return;
    // While nothing can be sent, there need be no more than what the next try is made with.
    if (this.gate() > now && this.pending > 0) return;
    for (const lane of this.inTurn()) {
      if (this.reads >= READS) return;
      const what = lane.reading || lane.restUntil > now ? null : this.readable(lane, now);
      if (what !== null) void this.read(lane, what);
    }
  }

  /** What there is to read in a lane, as far as there is room for it. */
  private readable(lane: Lane, now: number): "window" | "beyond" | null {
    if (!lane.hasNews) return null;
    const { bytes } = this;
    if (lane.items < WINDOW_ITEMS && bytes < WINDOW_BYTES) return "window";
    const isEvents = lane.kind === "log" || lane.kind === "backfill";
    return isEvents && lane.mayStray && bytes < WINDOW_BYTES + STRAY_BYTES && this.mayStray(now) ? "beyond" : null;
  }

  /** Some kinds wait, others may go, and nobody minds the order. */
  mayStray(now: number): boolean {
    if (this.receiver.integration.ordered) return false;
    const open = this.openFeeds(now);
    return open.length > 0 && open.length < this.rules.feeds.length;
  }

  private openFeeds(now: number): Feed[] {
    const { waits } = this.health;
    return this.rules.feeds.filter((feed) => (waits[feed] ?? 0) <= now);
  }

  private readBeyond(lane: Lane, now: number) {
    this.strayCeiling ??= new Ceiling(this.rules.perMinute, this.ceiling.state());
    const errorsOnly = this.openFeeds(now).every((feed) => feed === "errors" || feed === "notices");
    return readBeyond(this, lane, this.strayCeiling, errorsOnly);
  }

  private get bytes(): number {
    let bytes = 0;
    for (const lane of this.lanes.values()) bytes += lane.bytes;
    return bytes;
  }

  /** How much waits, where nothing is read because nothing can be sent: the page says so. */
  async peek(): Promise<void> {
    const lanes = [...this.inTurn()].filter(({ kind, reading }) => kind === "log" && !reading).slice(0, PEEKS);
    const asked = lanes.map(({ shard, next }) => ({ shard, position: next }));
    const found = await this.office.deps.sources.waiting(asked);
    for (const [i, lane] of lanes.entries()) {
      const one = found.get(lane.shard);
      if (one === undefined || lane.next !== asked[i]?.position || lane.reading) continue;
      lane.beyond = one.rows;
      lane.beyondOldest = one.oldest;
    }
  }

  private async read(lane: Lane, what: "window" | "beyond"): Promise<void> {
    const { office, generation } = this;
    const { heard } = lane;
    lane.reading = true;
    this.reads += 1;
    office.started += 1;
    try {
      const reading = what === "window" ? readLane(this, lane, this.ceiling) : this.readBeyond(lane, office.deps.now());
      const loaded = await within(STORE_MS, "reading what is to be delivered", reading);
      if (office.isGone() || generation !== this.generation || !this.lanes.has(lane.key)) return;
      if (what === "window") {
        lane.load(loaded, loaded.next, office.deps.now());
        lane.hasNews = loaded.more || lane.heard !== heard;
      } else {
        lane.stray(loaded, loaded.next, this.health.waits, office.deps.now());
        lane.scouted = loaded.more ? -1 : heard;
      }
      this.storeFailures = 0;
      this.storeError = null;
      // What rules left out moves the cursor, too.
      this.commit([lane]);
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

  // Sending

  private startSend(now: number): boolean {
    const slots = this.nextBatch(now);
    if (slots.length === 0) return false;
    void this.send(slots);
    return true;
  }

  private nextBatch(now: number): Slot[] {
    const { hold, breaker, probes } = this.health;
    const { integration } = this.receiver;
    const allowed =
      hold === null ? allows(breaker, now, this.sends) : now >= this.gate() && this.sends === 0 ? "probe" : "wait";
    if (allowed === "wait") return [];
    const lanes = [...this.lanes.values()];
    const common = { terms: this.terms, now, turn: this.turn++ };
    if (allowed === "send")
      return cut(lanes, { ...common, limits: integration.limits, fullOnly: this.reads > 0 && this.sends > 0 });
    const items = hold === null ? Math.min(PROBE_ITEMS, integration.limits.items) : 1;
    // Where items in a row were refused, the newest tells whether it is they, or the receiver.
    const newest = hold !== null && probes % 2 === 0 ? Number.MAX_SAFE_INTEGER : 0;
    const skip = hold === null ? (probes % PROBE_PLACES) * PROBE_STRIDE : newest;
    const slots = cut(lanes, { ...common, limits: { ...integration.limits, items }, fullOnly: false, skip });
    if (slots.length > 0)
      this.health = { ...this.health, probes: probes + 1, breaker: hold === null ? probing(breaker) : breaker };
    return slots;
  }

  private get terms(): Terms {
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

  private async send(slots: readonly Slot[]): Promise<void> {
    const { office, receiver } = this;
    const { integration, values, io } = receiver;
    this.sends += 1;
    office.started += 1;
    const started = office.deps.now();
    let result: SendResult;
    try {
      const items = slots.map(({ item }) => item);
      result = await within(SEND_MS, undefined, integration.send(values, items, io));
    } catch (error) {
      result = { outcomes: slots.map(() => ({ again: thrown(error) })), requests: 1 };
    }
    this.sends -= 1;
    // Removed meanwhile: its storage is gone, and nobody asks any more.
    try {
      if (!office.isGone()) this.settle(slots, result, office.deps.now() - started);
    } catch (error) {
      office.breaks(error);
    }
    office.ring();
  }

  /** In the turn in which the answer came: what it means, and the cursor with it, is on disk before anything else goes out. */
  private settle(slots: readonly Slot[], result: SendResult, ms: number): void {
    const { state, deps, book, measures } = this.office;
    const now = deps.now();
    const { refusedInRow, deliveredAt, hold } = this.health;
    const verdict = judge(slots, result, { refusedInRow, deliveredAt, held: hold !== null });
    this.health = reacted(this.health, verdict, result, { ms, now, random: deps.random() });
    this.noteError(verdict, now);
    for (const slot of verdict.delivered) slot.lane.done(slot);
    for (const { slot } of verdict.dead) slot.lane.done(slot);
    this.putBack(verdict, slots.length, now);
    measures.sent(now, verdict.delivered.length, verdict.again.length + verdict.dead.length, ms);
    this.tell(verdict, result, ms);
    if (this.name === "own") {
      const { counters } = state;
      const rejected = Math.min(result.rejectedByReceiver?.count ?? 0, verdict.delivered.length);
      counters.rejected += rejected;
      counters.delivered += verdict.delivered.length - rejected;
      counters.failed += verdict.again.length;
      if (verdict.delivered.length > 0) state.lastDeliveredAt = now;
    } else state.counters.viaFailover += verdict.delivered.length;
    const lanes = new Set(slots.map(({ lane }) => lane));
    this.commit(lanes, () => {
      if (this.name === "via") return;
      for (const { slot, failure } of verdict.dead)
        state.counters.deadDropped += book.dead.add(slot.item, failure, slot.tries + 1, now);
    });
  }

  private putBack({ again, delivered }: Verdict, size: number, now: number): void {
    const { deps } = this.office;
    for (const { slot, failure, cap, refused } of again) {
      slot.lane.putBack(slot);
      // Its kind waits: that is no try of its own.
      if (failure.only !== undefined) continue;
      slot.tries += 1;
      slot.cap = Math.min(slot.cap, cap);
      if (size === 1) {
        slot.aloneTries += 1;
        slot.aloneSince ||= now;
      }
      // The others of its batch were taken: it alone waits. When none was, all wait at the gate.
      if (delivered.length > 0 && !refused)
        slot.notBefore = now + Math.max(askedMs(failure.retryAfterMs), backoffMs(slot.tries, deps.random()));
    }
  }

  private noteError({ held, failure, dead, again }: Verdict, now: number): void {
    const worst = held ?? failure ?? dead[0]?.failure ?? again[0]?.failure;
    if (worst === undefined || this.name === "via") return;
    const { kind, message, status } = shortened(worst);
    this.office.state.lastError = { at: now, kind, message, status };
  }

  private tell({ delivered, again, dead, failure, held, limits }: Verdict, result: SendResult, ms: number): void {
    const { deps } = this.office;
    const items = (outcome: string, n: number) => n > 0 && deps.count("tailrace_delivery_items_total", outcome, n);
    // What a failover takes is not delivered yet: the destination's own turn comes.
    if (this.name === "own") {
      const rejected = Math.min(result.rejectedByReceiver?.count ?? 0, delivered.length);
      items("delivered", delivered.length - rejected);
      items("rejected", rejected);
      items("failed", again.length);
      items("dead", dead.length);
    }
    const [limit] = delivered.length > 0 ? [] : limits.values();
    deps.count("tailrace_delivery_requests_total", (held ?? failure ?? limit)?.kind ?? "ok", result.requests);
    deps.count("tailrace_delivery_seconds_total", "", ms / 1000);
  }

  /** Moves the cursors of these lanes as far as all is done. */
  private commit(lanes: Iterable<Lane>, also?: () => void): void {
    const { book, state } = this.office;
    const list = [...lanes];
    for (const lane of list) {
      const passed = lane.advance();
      if (passed.length > 0) this.passed(lane, passed);
      if (this.name === "own") {
        if (lane.scoutMark === null) delete state.scouts[lane.key];
        else state.scouts[lane.key] = lane.scoutMark;
      }
    }
    const hasMoved = list.some(({ isDirty }) => isDirty);
    if (also === undefined && !hasMoved) return;
    // A try that failed writes its counters, and is no progress.
    if (hasMoved) this.moved();
    book.commit(state, this.name, list, also);
  }

  /** Its cursors moved, or work came while there was none. */
  moved(): void {
    const { state, deps } = this.office;
    const key = this.name === "own" ? "movedAt" : "viaMovedAt";
    state[key] = Math.max(state[key], deps.now());
  }

  private passed(lane: Lane, passed: readonly Passed[]): void {
    if (this.name === "via") return;
    const { state, deps } = this.office;
    const sum = { sampled: 0, ceiling: 0, lost: 0, rows: 0 };
    for (const each of passed) {
      for (const key of ["sampled", "ceiling", "lost", "rows"] as const) sum[key] += each[key];
      if (each.taken !== null) state.ceiling = ceilingPassed(state.ceiling, each.taken);
    }
    for (const key of ["sampled", "ceiling", "lost"] as const) {
      state.counters[key] += sum[key];
      if (sum[key] > 0) deps.count("tailrace_delivery_items_total", key, sum[key]);
    }
    if (lane.kind === "backfill" && state.backfill !== null)
      state.backfill = { ...state.backfill, done: state.backfill.done + sum.rows };
  }

  private *inTurn(): Generator<Lane> {
    const lanes = [...this.lanes.values()];
    for (let n = 0; n < lanes.length; n++) yield lanes[(this.turn + n) % lanes.length] as Lane;
    this.turn += 1;
  }
}

/** `send` does not throw for what a receiver does: our own bucket is away, it took too long, or it has a bug. */
function thrown(error: unknown): Failure {
  return { kind: "unreachable", status: 0, message: rootMessage(error) };
}
