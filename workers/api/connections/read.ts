/** Which Workers of the account are connected, since when, and what came of it. */
import { and, eq, gt, ne } from "drizzle-orm";
import { type IngesterRpc, MAX_SHARDS } from "../../buffer/contract.ts";
import { SEAL_AGE_MS } from "../../buffer/limits.ts";
import type { ListedWorker, TailConsumer, WorkersClient } from "../../cloudflare/contract.ts";
import { database, schema } from "../../db/client.ts";
import { runQuery } from "../../query/index.ts";
import { within } from "../../util/within.ts";
import type { Connection } from "../contract.ts";
import { hasOurs, othersOf } from "./entries.ts";

/** Asked for one by one when the list of Workers does not say where tails lead. */
const MAX_ASKED = 100;
/** At a time: a Worker holds six connections that wait for headers. */
const AT_ONCE = 5;
/** Settings that were asked for one by one are good for this long: Cloudflare's limit is for rollouts, too. */
const KEEP_MS = 30_000;
const MAX_KNOWN = 2_000;
/** Nobody sees a difference sooner; many may look at the list. */
const RECENT_KEEP_MS = 5_000;
/** A page waits for it; what D1 knows will do. */
const RECENT_TIMEOUT_MS = 2_000;
/** Looked at one by one in a list. */
const MAX_VERIFIED = 10;
/** Sealing takes a moment, too. */
const RECENT_MARGIN_MS = 60_000;
const INGESTER_MS = 2_000;

export interface Known {
  /** When Tailrace wrote its entry; undefined: it did not. */
  connectedAt: number | undefined;
  lastSeen: number | undefined;
}

export async function readKnown(env: Env): Promise<Map<string, Known>> {
  const [rows, seen] = await Promise.all([readRows(env), readRecent(env)]);
  for (const [script, lastSeen] of seen) {
    const of = rows.get(script);
    rows.set(script, { connectedAt: of?.connectedAt, lastSeen: Math.max(lastSeen, of?.lastSeen ?? 0) });
  }
  return rows;
}

async function readRows(env: Env): Promise<Map<string, Known>> {
  const { workerConnections, workers } = schema;
  const db = database(env.DB);
  const [connections, seen] = await db.batch([
    db.select().from(workerConnections).limit(MAX_KNOWN),
    db
      .select({ script: workers.script, lastSeen: workers.lastSeen })
      .from(workers)
      .where(gt(workers.lastSeen, 0))
      .limit(MAX_KNOWN),
  ]);
  const known = new Map<string, Known>();
  for (const { script, lastSeen } of seen) known.set(script, { connectedAt: undefined, lastSeen });
  for (const { script, connectedAt } of connections)
    known.set(script, { connectedAt, lastSeen: known.get(script)?.lastSeen });
  return known;
}

export async function readConnectedAt(env: Env, script: string): Promise<number | undefined> {
  const { workerConnections: table } = schema;
  const rows = await database(env.DB).select().from(table).where(eq(table.script, script)).limit(1);
  return rows[0]?.connectedAt;
}

/** The newest event at or after `from` (ms), sealed or not: what verifies a connection. */
export async function newestEvent(env: Env, script: string, from: number): Promise<number | undefined> {
  const now = Date.now();
  const found = await runQuery(env, { q: "", script, from, limit: 1 }, { now });
  // That it cannot be asked now verifies nothing.
  if (!found.ok) return undefined;
  const { columns, rows } = found.answer;
  const time = rows[0]?.[columns.findIndex(({ name }) => name === "time")];
  // Sampling may have kept none of those that came.
  return typeof time === "string" ? Date.parse(time) : newestCount(env, script, from);
}

/** Arrival of the newest that was counted, kept or not, and is not sealed yet. */
async function newestCount(env: Env, script: string, from: number): Promise<number | undefined> {
  const { shards } = schema;
  const open = await database(env.DB)
    .select({ shard: shards.shard })
    .from(shards)
    .where(and(eq(shards.script, script), ne(shards.open, 0)))
    .limit(MAX_SHARDS);
  const times = await Promise.all(
    open.map(async ({ shard }) => {
      const { entries } = await within(INGESTER_MS, "Ingester", ingesterOf(env, shard).unsealedRollups());
      return entries.map(({ at }) => at);
    }),
  ).catch(() => []);
  return times
    .flat()
    .reduce<number | undefined>((most, at) => (at >= from && at >= (most ?? 0) ? at : most), undefined);
}

const ingesterOf = (env: Env, shard: string): IngesterRpc => env.INGESTER.getByName(shard) as unknown as IngesterRpc;

let recent: { at: number; seen: Map<string, number> } | undefined;

/** Newest invocations of the last minutes by Worker: what D1 does not know before it is sealed. */
async function readRecent(env: Env): Promise<Map<string, number>> {
  const now = Date.now();
  if (recent !== undefined && Math.abs(now - recent.at) < RECENT_KEEP_MS) return recent.seen;
  const q = "kind:invocation | stats max(time) by script";
  const asked = runQuery(env, { q, from: now - SEAL_AGE_MS - RECENT_MARGIN_MS }, { now });
  const found = await within(RECENT_TIMEOUT_MS, undefined, asked).catch(() => undefined);
  if (!found?.ok) return recent?.seen ?? new Map();
  const seen = new Map<string, number>();
  for (const [script, time] of found.answer.rows) {
    if (typeof script === "string" && typeof time === "string") seen.set(script, Date.parse(time));
  }
  recent = { at: now, seen };
  return seen;
}

/**
 * Of Workers that Tailrace connected and nothing is known of since: what the waiting
 * command sees, the list must say, too. Few are in this state, and not for long.
 */
export async function verifyNew(env: Env, connections: readonly Connection[]): Promise<Connection[]> {
  const unseen = connections.filter(({ byTailrace, connected, verified }) => byTailrace && connected && !verified);
  const seen = new Map<string, number>();
  const ask = async ({ script, connectedAt }: Connection) => {
    const at = await within(RECENT_TIMEOUT_MS, undefined, newestEvent(env, script, connectedAt ?? 0)).catch(
      () => undefined,
    );
    if (at !== undefined) seen.set(script, at);
  };
  // The newest ones: an old one that is silent is silent.
  const newest = unseen.toSorted((a, b) => (b.connectedAt ?? 0) - (a.connectedAt ?? 0)).slice(0, MAX_VERIFIED);
  await Promise.all(newest.map(ask));
  return connections.map((one) => {
    const lastSeen = seen.get(one.script);
    return lastSeen === undefined ? one : { ...one, lastSeen, verified: true };
  });
}

export function connectionOf(
  script: string,
  consumers: readonly TailConsumer[],
  { connectedAt, lastSeen }: Known,
  self: string,
): Connection {
  const connected = hasOurs(consumers, self);
  return {
    ...{ script, connected, byTailrace: connectedAt !== undefined, connectedAt: connectedAt ?? null },
    lastSeen: lastSeen ?? null,
    verified: connected && lastSeen !== undefined && lastSeen >= (connectedAt ?? 0),
    others: othersOf(consumers, self),
    self: script === self,
  };
}

let asked: { at: number; consumers: Map<string, TailConsumer[]> } | undefined;

/** Where tails lead, of those Workers whose list says it or that could be asked; bounded. */
export async function tailsOf(
  client: WorkersClient,
  workers: readonly ListedWorker[],
): Promise<Map<string, TailConsumer[]>> {
  const tails = new Map(workers.map(({ name, tailConsumers }) => [name, tailConsumers ?? []]));
  const silent = workers.filter(({ tailConsumers }) => tailConsumers === null).slice(0, MAX_ASKED);
  if (silent.length === 0) return tails;
  if (asked === undefined || Math.abs(Date.now() - asked.at) > KEEP_MS)
    asked = { at: Date.now(), consumers: new Map() };
  const { consumers } = asked;
  const open = silent.map(({ name }) => name).filter((name) => !consumers.has(name));
  const work = async () => {
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const settings = await client.tailConsumers(name);
      if (settings.ok) consumers.set(name, settings.value);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const { name } of silent) tails.set(name, consumers.get(name) ?? []);
  return tails;
}

/** After a change, so that this isolate asks again. */
export const forgetTails = (): void => {
  asked = undefined;
};
