/**
 * A Courier with a world of its own: a log in memory, receivers that hang, lie and
 * refuse, a clock that a test moves. It outlives evictions, as the real one would.
 * Alarms are recorded; `settle` lets them go off in their order, as time goes by.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { DestinationHealth } from "../../../workers/api/contract/integrations.ts";
import type { Page, Position } from "../../../workers/delivery/contract.ts";
import { dependencies, rulesOf } from "../../../workers/delivery/courier/dependencies.ts";
import type { Dependencies, Sources } from "../../../workers/delivery/courier/needs.ts";
import type { Courier } from "../../../workers/delivery/courier.ts";
import type { StoredDestination } from "../../../workers/delivery/destinations.ts";
import type {
  Destination,
  Failure,
  Invocation,
  Io,
  Item,
  ItemOutcome,
  NoticeItem,
  SendResult,
} from "../../../workers/integrations/contract.ts";
import { RULES } from "../../support/destination-rules.ts";

export const TEN_O_CLOCK = Date.UTC(2026, 10, 21, 10);

export const failureOf = (kind: Failure["kind"], more: Partial<Failure> = {}): Failure => ({
  ...{ kind, status: kind === "unavailable" ? 503 : 0, message: `it is ${kind}` },
  ...more,
});

export const delivered = (items: readonly Item[]): SendResult => ({
  outcomes: items.map((): ItemOutcome => "delivered"),
  requests: 1,
});
export const again = (items: readonly Item[], failure: Failure): SendResult => ({
  outcomes: items.map((): ItemOutcome => ({ again: failure })),
  requests: 1,
});
export const refused = (items: readonly Item[], message = "what is this?"): SendResult => ({
  outcomes: items.map((): ItemOutcome => ({ refused: failureOf("refused", { status: 400, message }) })),
  requests: 1,
});

export const textOf = (item: Item): string => (item.feed === "notices" ? "notice" : (item.event.message ?? ""));

/** A door that a receiver waits at. Asked by turns: a promise that a test keeps would go on as the test, not as the Courier. */
export class Door {
  isOpen = false;

  async passed(): Promise<void> {
    while (!this.isOpen) await scheduler.wait(2);
  }
}

/** Somebody who takes what is sent, or does not. */
export class FakeReceiver {
  /** Texts in the order in which they were taken, one batch each. */
  batches: string[][] = [];
  items: Item[] = [];
  tries = 0;
  behave: (items: readonly Item[], receiver: FakeReceiver) => Promise<SendResult> | SendResult = (items, receiver) =>
    receiver.take(items);
  readonly integration: Destination;

  constructor(id: string, more: Partial<Destination> = {}) {
    this.integration = {
      ...{
        id,
        name: id,
        role: "destination",
        category: "Observability",
        summary: "",
        takes: ["errors", "logs", "notices"],
      },
      ...{ fields: [], documentation: "", website: "", mark: { text: "F", color: "#000" }, idempotent: true },
      limits: { items: 10, bytes: 1_000_000 },
      ordered: false,
      test: async () => ({ ok: true, message: "" }),
      send: async (_values, items) => {
        this.tries += 1;
        return this.behave(items, this);
      },
      ...more,
    } as Destination;
  }

  take(items: readonly Item[]): SendResult {
    this.batches.push(items.map(textOf));
    this.items.push(...items);
    return delivered(items);
  }

  get texts(): string[] {
    return this.batches.flat();
  }
}

interface Entry {
  invocations: Invocation[];
}

const worlds = new Map<string, World>();
const real = dependencies.make;
dependencies.make = (ctx, env, id) => worlds.get(id)?.dependencies() ?? real(ctx, env, id);

/** Files share their objects: names are of one file. */
const run = crypto.randomUUID().slice(0, 8);
let made = 0;

export class World {
  readonly id = `destination-${run}-${++made}`;
  clock = TEN_O_CLOCK;
  random = 0.5;
  receiver: FakeReceiver;
  failover = new FakeReceiver("failover");
  rows = new Map<string, StoredDestination>();
  shards = new Map<string, { script: string; entries: Entry[] }>();
  notices: NoticeItem["notice"][] = [];
  backfilled: Invocation[] = [];
  healths: DestinationHealth[] = [];
  counted = new Map<string, number>();
  wakeAt: number | null = null;
  use = 0;
  /** What a read throws. */
  storeAway = "";
  sealed: string[] = [];
  reads = 0;
  /** Looks at how much waits. */
  counts = 0;
  /** An Ingester that puts readers off. */
  isBusy = false;
  alarms = 0;
  /** At the clock, in this run. */
  looks = 0;
  /** Whether its secrets open. */
  opens = true;
  letGo = 0;

  constructor(more: Partial<Destination> = {}) {
    this.receiver = new FakeReceiver("fake", more);
    worlds.set(this.id, this);
    this.row = {};
  }

  /** What the destination itself took, in order. */
  get taken(): Item[] {
    return this.receiver.items;
  }

  get stub(): DurableObjectStub<Courier> {
    return env.COURIERS.getByName(this.id);
  }

  set row(change: Partial<StoredDestination>) {
    const before = this.rows.get(this.id);
    this.rows.set(this.id, {
      ...{ id: this.id, integration: "fake", name: "A receiver", state: "enabled", standby: false, failoverTo: null },
      ...{ rules: RULES, values: {}, sealed: {}, createdAt: this.clock, createdBy: "test", updatedAt: this.clock },
      ...{ backfillFrom: null, health: null },
      ...before,
      ...change,
      revision: (before?.revision ?? 0) + 1,
    });
  }

  /** Another destination, which stands by for it. */
  addFailover(): void {
    const id = `${this.id}-other`;
    this.row = { failoverTo: id };
    const row = this.rows.get(this.id) as StoredDestination;
    this.rows.set(id, { ...row, id, name: "The other", standby: true, failoverTo: null });
  }

  /** Logs of one Worker, an invocation each, in one entry of its log. */
  log(script: string, texts: readonly string[], at = this.clock): void {
    const shard = this.shards.get(script) ?? { script, entries: [] };
    this.shards.set(script, shard);
    shard.entries.push({ invocations: texts.map((text) => invocationOf(script, [text], at)) });
  }

  /** … all of one invocation. */
  logTogether(script: string, texts: readonly string[]): void {
    const shard = this.shards.get(script) ?? { script, entries: [] };
    this.shards.set(script, shard);
    shard.entries.push({ invocations: [invocationOf(script, texts, this.clock)] });
  }

  async nudge(script: string): Promise<void> {
    await this.stub.nudge([{ kind: "log", shard: script, script, errors: false }]);
  }

  async start(): Promise<void> {
    await this.stub.refresh(this.id);
    await this.settle(0);
  }

  /** The alarm goes off at its time, again and again, until nothing is due within so many ms. */
  async settle(ms = 0): Promise<void> {
    const until = this.clock + ms;
    const most = this.alarms + MOST_ALARMS + ms / 200;
    while (this.wakeAt !== null && this.wakeAt <= until) {
      if (this.alarms > most) throw new Error(`${MOST_ALARMS} alarms and more within ${ms} ms: it does not rest`);
      this.clock = Math.max(this.clock, this.wakeAt);
      this.wakeAt = null;
      await this.alarm();
    }
    this.clock = Math.max(this.clock, until);
  }

  async alarm(): Promise<void> {
    this.alarms += 1;
    this.looks = 0;
    await runInDurableObject(this.stub, (courier: Courier) => courier.alarm());
  }

  async evict(): Promise<void> {
    // Only one that is there can be evicted.
    await this.stub.marks();
    await evictDurableObject(this.stub);
  }

  dependencies(): Dependencies {
    return {
      readDestination: async (id) => this.rows.get(id),
      integrationOf: () => this.receiver.integration,
      open: async (row) => {
        if (!this.opens)
          return { ok: false, failure: failureOf("blocked", { message: "It was encrypted under another key." }) };
        const { integration } = row.id === this.id ? this.receiver : this.failover;
        const receiver = { id: row.id, revision: row.revision, integration, values: row.values, io: NO_IO };
        return { ok: true, receiver };
      },
      sources: this.#sources(),
      rules: rulesOf,
      writeHealth: async (health) => {
        this.healths.push(health);
        const row = this.rows.get(this.id);
        if (row !== undefined) this.rows.set(this.id, { ...row, health });
      },
      count: (name, outcome, n) => {
        const key = `${name} ${outcome}`;
        this.counted.set(key, (this.counted.get(key) ?? 0) + n);
      },
      now: () => {
        this.looks += 1;
        if (this.looks > MOST_LOOKS)
          throw new Error(`BUG: a run that looks at the clock ${MOST_LOOKS} times does not end`);
        return this.clock;
      },
      random: () => this.random,
      wake: (at) => {
        this.wakeAt = at;
      },
    };
  }

  #sources(): Sources {
    const marks = () =>
      [...this.shards].map(([shard, { script, entries }]) => ({ shard, script, through: entries.length }));
    return {
      read: async ({ shard, position, maxRows }) => {
        this.reads += 1;
        if (this.storeAway !== "") throw new Error(this.storeAway);
        const all = (this.shards.get(shard)?.entries ?? []).map(({ invocations }) => invocations);
        if (!this.isBusy) return pageOf(all, position, maxRows, this.use);
        return { ...pageOf(all, position, 0, this.use), isBusy: true };
      },
      waiting: async (asked) => {
        this.counts += 1;
        const entries = asked.map(({ shard, position }) => {
          const all = (this.shards.get(shard)?.entries ?? []).map(({ invocations }) => invocations);
          const { invocations } = pageOf(all, position, 1, 0);
          const first = invocations[0]?.events[0];
          const oldest = first === undefined ? null : first.time / 1000;
          return [shard, { rows: pageOf(all, position, 0, 0).waiting, oldest }] as const;
        });
        return new Map(entries);
      },
      readBackfill: async ({ position, maxRows }) => pageOf([this.backfilled], position, maxRows, 0),
      startMarks: async () => marks(),
      seal: async (shards) => void this.sealed.push(...shards),
      withNews: async (known) => marks().filter(({ shard, through }) => through > (known.get(shard) ?? 0)),
      takeBackfill: async () => {
        const rows = this.backfilled.reduce((sum, { events }) => sum + events.length, 0);
        return { rows, segments: this.backfilled.length > 0 ? 1 : 0, marks: marks() };
      },
      endBackfill: async () => undefined,
      notices: async (after, limit) => {
        const notices = this.notices.filter(({ id }) => id > after).slice(0, limit);
        return { notices, through: notices.at(-1)?.id ?? after, more: false };
      },
      lastNotice: async (before) => this.notices.filter(({ at }) => at < before).at(-1)?.id ?? 0,
      letGo: async () => {
        this.letGo += 1;
      },
    };
  }
}

/** A run per alarm: more than any test needs, and five a second beside. */
const MOST_ALARMS = 100;
/** The clock stands still within a run: one that waits for it would never end. */
const MOST_LOOKS = 100_000;

function pageOf(
  entries: readonly (readonly Invocation[])[],
  { through, offset }: Position,
  maxRows: number,
  use: number,
): Page {
  const found: { invocation: Invocation; after: Position }[] = [];
  let rows = 0;
  let isFull = false;
  let end: Position = { through, offset };
  for (let n = through; n < entries.length && !isFull; n++) {
    const entry = entries[n] ?? [];
    for (let i = n === through ? offset : 0; i < entry.length; i++) {
      const invocation = entry[i] as Invocation;
      if (rows >= maxRows) {
        isFull = true;
        break;
      }
      rows += invocation.events.length;
      const isLast = i === entry.length - 1;
      found.push({ invocation, after: isLast ? { through: n + 1, offset: 0 } : { through: n, offset: i + 1 } });
    }
    if (!isFull) end = { through: n + 1, offset: 0 };
    else end = found.at(-1)?.after ?? end;
  }
  const left = entries.slice(through).map((list, n) => (n === 0 ? list.slice(offset) : list));
  const all = left.flat().reduce((sum, { events }) => sum + events.length, 0);
  return {
    invocations: found.map(({ invocation }) => invocation),
    after: (count) =>
      count >= found.length ? end : count === 0 ? { through, offset } : (found[count - 1] as { after: Position }).after,
    ...{
      more: isFull,
      use,
      isBusy: false,
      from: "log",
      lost: 0,
      waiting: Math.max(0, all - rows),
      oldest: (left.flat()[0]?.events[0]?.time ?? 0) / 1_000 || null,
    },
  };
}

let invocations = 0;

export function invocationOf(script: string, texts: readonly string[], at: number): Invocation {
  const id = (++invocations).toString(16).padStart(32, "0");
  const events = texts.map((message, seq) => ({
    ...{ time: at * 1000 + seq, kind: "log" as const, script, invocation_id: id, seq: seq + 1, sample_weight: 1 },
    ...{ level: "info", message },
  }));
  return { script, id, events };
}

const NO_IO = {
  request: () => Promise.reject(new Error("nothing is asked here")),
} as unknown as Io;
