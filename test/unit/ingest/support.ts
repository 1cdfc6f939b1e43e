/** What the tests of ingest share: a normalizer with default settings, fixtures, and an Ingester that only records. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AppendRequest, AppendResult } from "../../../workers/buffer/contract.ts";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { NO_RULES } from "../../../workers/errors/grouping/rules.ts";
import type { PlaceMaps } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { eventAt } from "../../../workers/event/batch.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { OwnFields, TailraceEvent } from "../../../workers/event/event.ts";
import type { LedgerReason } from "../../../workers/event/rollup.ts";
import { type Clock, GroupCommit } from "../../../workers/ingest/group-commit.ts";
import { Grouper } from "../../../workers/ingest/grouping/grouper.ts";
import { occurrencesOf } from "../../../workers/ingest/grouping/occurrences.ts";
import { Waits } from "../../../workers/ingest/grouping/waits.ts";
import { type Collector, Intake } from "../../../workers/ingest/intake.ts";
import {
  compileNormalizer,
  type Invocation,
  type ItemDefaults,
  type Surroundings,
  type Suspect,
} from "../../../workers/ingest/normalize/normalize.ts";
import { RouteTable } from "../../../workers/ingest/normalize/route.ts";
import { compilePolicy, type Policy } from "../../../workers/ingest/policy.ts";
import { type LimitBinding, RateLimiter } from "../../../workers/ingest/rate-limit.ts";
import { compileRedactor } from "../../../workers/ingest/redact/redact.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import type { Lease } from "../../../workers/live/contract.ts";

export const FIXTURES = join(import.meta.dirname, "../../fixtures/trace-items");
/** After every fixture was captured. */
export const NOW_MS = 1_795_300_000_000;

export const redactor = compileRedactor({ keys: [], except: [], cardNumbers: true, emails: false });

export interface Captured {
  item: Record<string, unknown>;
  props: ItemDefaults;
}

export function fixtures(): Map<string, Captured[]> {
  const files = readdirSync(FIXTURES).filter((file) => file.endsWith(".json"));
  return new Map(files.map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(FIXTURES, file), "utf8"))]));
}

export function surroundings(defaults: ItemDefaults = {}, nowMs = NOW_MS): Surroundings {
  const routes = new RouteTable();
  return { nowMs, defaults, routes: () => routes };
}

/** The events of one item, whole: shared and own fields together, absent ones left out. */
export function eventsOf(item: unknown, defaults: ItemDefaults = {}): TailraceEvent[] {
  const { invocation, events } = madeOf(item, defaults);
  return events.map((own) => whole(invocation, own));
}

/** The same with the fingerprints of its errors, as if no version had a source map. */
export function groupedEventsOf(item: unknown, defaults: ItemDefaults = {}): TailraceEvent[] {
  const { invocation, events, suspects } = madeOf(item, defaults);
  const occurrences = occurrencesOf(invocation, events, suspects);
  const grouper = new Grouper(NO_MAPS, () => NOW_MS);
  const found = { fields: invocation.fields, events, occurrences };
  grouper.prepare(found, () => {});
  grouper.group(found, NO_RULES);
  return events.map((own) => whole(invocation, own));
}

function madeOf(item: unknown, defaults: ItemDefaults) {
  const normalizer = compileNormalizer(redactor);
  const invocation = normalizer.read(item, surroundings(defaults));
  if ("unreadable" in invocation) throw new Error(invocation.unreadable);
  const suspects: Suspect[] = [];
  return { invocation, events: normalizer.events(invocation, NOW_MS, suspects), suspects };
}

function whole({ fields }: Invocation, { attributes, ...own }: OwnFields): TailraceEvent {
  const event: Record<string, unknown> = { ...fields, ...own };
  for (const key of Object.keys(event)) if (event[key] === undefined) delete event[key];
  if (attributes !== undefined && attributes.names.length > 0) {
    const record: Record<string, unknown> = Object.create(null);
    attributes.names.forEach((name, i) => {
      if (!(name in record)) record[name] = attributes.values[i];
    });
    event.attributes = record;
  }
  return event as unknown as TailraceEvent;
}

/** A fetch that went well. */
export function fetchItem(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event: { request: { url: "https://shop.test/", method: "GET", headers: {} }, response: { status: 200 } },
    eventTimestamp: NOW_MS - 1_000,
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
    scriptName: "shop",
    outcome: "ok",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 2,
    wallTime: 10,
    ...overrides,
  };
}

export const logItem = (...message: unknown[]) =>
  fetchItem({ logs: [{ timestamp: NOW_MS - 999, level: "log", message }] });

/** Takes appends like an Ingester: once per batch id, and refuses or fails as told. */
export class Recorder {
  readonly appends: { shard: number; request: AppendRequest }[] = [];
  calls = 0;
  /** What the next calls do; undefined: take it. */
  readonly script: ("ok" | "overloaded" | "fail" | "fail-after" | "hang")[] = [];
  essentialOnly = false;
  shards = 1;
  /** Who watches: part of each answer. */
  leases: Lease[] | undefined;
  /** Answers ask for extras where an append came without, or without the items that are wanted. */
  asks = false;
  takesSupply: () => Promise<void> = async () => {};
  readonly supplied: { batchId: string; extras: string }[] = [];

  readonly supply = async (_script: string, _shard: number, batchId: string, extras: string): Promise<void> => {
    this.supplied.push({ batchId, extras });
    await this.takesSupply();
  };

  readonly append = async (_script: string, shard: number, request: AppendRequest): Promise<AppendResult> => {
    this.calls++;
    const does = this.script.shift() ?? "ok";
    if (does === "hang") return new Promise(() => {});
    if (does === "fail") throw new Error("Network connection lost.");
    if (does === "overloaded" || (this.essentialOnly && !request.essential)) {
      return { ok: false, reason: "overloaded", retryAfterMs: 100 };
    }
    if (!this.appends.some((a) => a.request.batchId === request.batchId)) this.appends.push({ shard, request });
    if (does === "fail-after") throw new Error("Network connection lost.");
    const { shards, leases } = this;
    if (leases === undefined) return { ok: true, shards };
    const hasItems = [request.leases, leases].map((told) => told?.some(({ items }) => items) === true);
    const lacks = request.extras === undefined || (hasItems[1] === true && hasItems[0] !== true);
    return { ok: true, shards, leases, ...(this.asks && lacks ? { supply: true } : {}) };
  };

  events(): TailraceEvent[] {
    return this.appends.flatMap(({ request }) => {
      if (request.batch === "") return [];
      const batch = decodeBatch(request.batch);
      return Array.from({ length: batch.rows }, (_, row) => eventAt(batch, row));
    });
  }

  /** The ledger, all minutes together. */
  ledger(): Record<LedgerReason, number> {
    const sum = {
      received: 0,
      kept: 0,
      sampled_out: 0,
      rate_limited: 0,
      overloaded: 0,
      truncated: 0,
      unreadable: 0,
      events: 0,
    };
    for (const { request } of this.appends) {
      for (const { counts } of request.ledger) {
        for (const reason of Object.keys(counts) as LedgerReason[]) sum[reason] += counts[reason] ?? 0;
      }
    }
    return sum;
  }

  /** What was told about errors, all appends together. */
  issues(): IssueDelta[] {
    return this.appends.flatMap(({ request }) => request.issues ?? []);
  }

  requests(): number {
    return this.appends.flatMap(({ request }) => request.rollups).reduce((sum, r) => sum + r.requests, 0);
  }
}

/** Time that goes as fast as whoever waits for it. */
export class FakeClock implements Clock {
  private ms = NOW_MS;
  private readonly timers = new Map<number, { at: number; run: () => void }>();
  private next = 0;

  now = () => this.ms;
  random = () => 0.5;
  sleep = (ms: number) => new Promise<void>((resolve) => this.after(ms, resolve));
  after = (ms: number, run: () => void) => {
    const id = this.next++;
    this.timers.set(id, { at: this.ms + ms, run });
    return () => void this.timers.delete(id);
  };

  /** Runs everything that is due within `ms`, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.ms + ms;
    for (;;) {
      await settle();
      const due = [...this.timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.ms = Math.max(this.ms, due[1].at);
      due[1].run();
    }
    this.ms = end;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export interface Bench {
  recorder: Recorder;
  clock: FakeClock;
  collector: Collector;
  policy: Policy;
  intake(options?: { binding?: LimitBinding; defaults?: ItemDefaults }): Intake;
}

/** No version has any map. */
export const NO_MAPS: PlaceMaps = { find: async () => "none", findCached: () => "none", hasAny: () => false };

export function bench(policy: Policy = compilePolicy(DEFAULT_SETTINGS), maps = NO_MAPS): Bench {
  const recorder = new Recorder();
  const clock = new FakeClock();
  const commit = new GroupCommit(recorder.append, recorder.supply, clock);
  const collector: Collector = {
    commit,
    limiter: new RateLimiter(),
    grouper: new Grouper(maps, clock.now),
    waits: new Waits(clock),
    routes: new Map(),
  };
  const intake: Bench["intake"] = ({ binding, defaults = {} } = {}) =>
    new Intake(collector, policy, { nowMs: clock.now(), binding, waitUntil: () => {} }, defaults);
  return { recorder, clock, collector, policy, intake };
}
