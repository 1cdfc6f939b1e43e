/** Appends as the Collector makes them, and Ingesters with stores that fail when a test says so. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import type { Stores } from "../../../workers/buffer/sealer.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { RollupBuilder } from "../../../workers/event/rollup.ts";

/** 2026-11-20T10:00:00Z in µs. */
export const TEN_O_CLOCK = Date.UTC(2026, 10, 20, 10) * 1000;

let invocations = 0;

export function invocation(script: string, time = TEN_O_CLOCK, more: Partial<TailraceEvent> = {}): TailraceEvent {
  return {
    time,
    kind: "invocation",
    script,
    invocation_id: (++invocations).toString(16).padStart(32, "0"),
    seq: 0,
    sample_weight: 1,
    version_id: "v1",
    event_type: "fetch",
    outcome: "ok",
    status: 200,
    duration: 12,
    cpu_time: 3,
    ...more,
  };
}

export function appendOf(script: string, events: TailraceEvent[], more: Partial<AppendRequest> = {}): AppendRequest {
  const batch = new BatchBuilder();
  const rollups = new RollupBuilder();
  for (const event of events) {
    batch.push(event);
    rollups.add(event);
  }
  const minute = Math.floor((events[0]?.time ?? TEN_O_CLOCK) / 60_000_000) * 60;
  return {
    script,
    batchId: crypto.randomUUID(),
    batch: events.length === 0 ? "" : batch.encode(),
    rows: events.length,
    minTime: events.length === 0 ? 0 : batch.minTime,
    maxTime: events.length === 0 ? 0 : batch.maxTime,
    rollups: rollups.build(),
    ledger: [{ minute, script, counts: { received: events.length, kept: events.length, events: events.length } }],
    essential: false,
    ...more,
  };
}

export const ingester = (shard: string): DurableObjectStub<Ingester> => env.INGESTER.getByName(shard);

/** Replaces stores of a running Ingester; gone when it is evicted. */
export async function withStores(stub: DurableObjectStub<Ingester>, stores: Partial<Stores>): Promise<void> {
  await runInDurableObject(stub, (instance: Ingester) => {
    instance.stores = { BUCKET: env.BUCKET, DB: env.DB, METRICS: env.METRICS, ...stores };
  });
}

export interface Sealed {
  rows: number;
  segments: number;
  requests: number;
  received: number;
  sealedThrough: number;
}

/** What the catalog has of a Worker. */
export async function sealed(script: string): Promise<Sealed> {
  const one = async (query: string) => (await env.DB.prepare(query).bind(script).first<{ n: number }>())?.n ?? 0;
  return {
    rows: await one("SELECT total(rows) AS n FROM segments WHERE script = ?"),
    segments: await one("SELECT count(*) AS n FROM segments WHERE script = ?"),
    requests: await one("SELECT total(requests) AS n FROM rollup_minutes WHERE script = ?"),
    received: await one("SELECT total(counts->>'received') AS n FROM ledger_minutes WHERE script = ?"),
    sealedThrough: await one("SELECT max(sealed_through) AS n FROM shards WHERE script = ?"),
  };
}

/** Events of a Worker that a query would see: sealed ones, and unsealed ones that are not sealed meanwhile. */
export async function visible(script: string): Promise<number> {
  const all = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const { batches } = await ingester(script).unsealed(all);
  const { rows, sealedThrough } = await sealed(script);
  return rows + batches.filter((b) => b.id > sealedThrough).reduce((sum, b) => sum + b.rows, 0);
}

/** `before`: nothing happens. `after`: it happens, and the answer is lost. */
export type Fault = "before" | "after";

export function failingBucket(fault: Fault): R2Bucket {
  return overriding(env.BUCKET, "put", failing(fault, "R2 is away"));
}

export function failingDb(fault: Fault): D1Database {
  return overriding(env.DB, "batch", failing(fault, "D1 is away"));
}

type Call = (...args: unknown[]) => Promise<unknown>;

function failing(fault: Fault, message: string) {
  return (real: Call): Call =>
    async (...args) => {
      if (fault === "after") await real(...args);
      throw new Error(message);
    };
}

function overriding<T extends object>(target: T, name: string, wrap: (real: Call) => Call): T {
  return new Proxy(target, {
    get(on, property) {
      const value: unknown = Reflect.get(on, property, on);
      if (typeof value !== "function") return value;
      const bound = (value as Call).bind(on) as Call;
      return property === name ? wrap(bound) : bound;
    },
  });
}

export async function until(condition: () => Promise<boolean>, deadlineMs = 15_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms`);
    await scheduler.wait(20);
  }
}
