/**
 * What can be asked of Tailrace's parts at any time: the Ingesters with unsealed
 * events, notifications that wait, destinations as their couriers last wrote them
 * down. `gauges.ts` and `consumers.ts` make something of it. One D1 batch and a
 * bounded number of calls; a part that does not answer is reported, not waited for.
 */
import { sql } from "drizzle-orm";
import type { DestinationHealth } from "../api/contract/integrations.ts";
import type { IngesterRpc, IngesterStatus } from "../buffer/contract.ts";
import { runBatch } from "../db/batch.ts";
import { schema } from "../db/client.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";

/** A part that takes longer is as good as down. */
const ASK_TIMEOUT_MS = 2_000;
/** Asking wakes a Durable Object. Only those with unsealed events are asked, the ones longest in that state first. */
const MAX_ASKED = 16;
/** More destinations than anybody has (delivery/destinations.ts bounds them). */
const MAX_DESTINATIONS = 200;

export interface AskedIngester {
  shard: string;
  script: string;
  status?: IngesterStatus;
  error?: string;
}

export interface KnownDestination {
  id: string;
  name: string;
  integration: string;
  state: string;
  standby: boolean;
  createdAt: number;
  updatedAt: number;
  /** null: its courier has not written any yet, or not readably. */
  health: DestinationHealth | null;
}

/** What D1 has. */
export interface StoredFacts {
  /** Ingesters with unsealed events in all, and those that are to be asked. */
  open: number;
  toAsk: { shard: string; script: string }[];
  notifications: { waiting: number; oldestAt: number | null; lastPublishedAt: number | null };
  destinations: KnownDestination[];
}

export interface Facts extends StoredFacts {
  ingesters: AskedIngester[];
}

interface DestinationColumns {
  id: string;
  name: string;
  integration: string;
  state: string;
  standby: number;
  created_at: number;
  updated_at: number;
  health: string;
}

/** Throws when D1 is away. */
export async function readFacts(env: Pick<Env, "DB" | "INGESTER">): Promise<Facts> {
  const stored = await readStored(env);
  return { ...stored, ingesters: await askIngesters(env, stored.toAsk) };
}

export async function readStored(env: Pick<Env, "DB">): Promise<StoredFacts> {
  const { shards, notifications, destinations } = schema;
  const [open, toAsk, notices, rows] = await runBatch<
    [
      { n: number },
      { shard: string; script: string },
      { waiting: number; oldest: number | null; published: number | null },
      DestinationColumns,
    ]
  >(env.DB, [
    sql`SELECT count(*) AS n FROM ${shards} WHERE open <> 0`,
    sql`SELECT shard, script FROM ${shards} WHERE open <> 0 ORDER BY updated_at LIMIT ${MAX_ASKED}`,
    sql`SELECT count(*) AS waiting, min(at) AS oldest, (SELECT max(published_at) FROM ${notifications}) AS published
      FROM ${notifications} WHERE published_at IS NULL`,
    sql`SELECT id, name, integration, state, standby, created_at, updated_at, health FROM ${destinations}
      ORDER BY id LIMIT ${MAX_DESTINATIONS}`,
  ]);
  const notice = notices[0];
  return {
    open: open[0]?.n ?? 0,
    toAsk,
    notifications: {
      waiting: notice?.waiting ?? 0,
      oldestAt: notice?.oldest ?? null,
      lastPublishedAt: notice?.published ?? null,
    },
    destinations: rows.map(({ standby, created_at, updated_at, health, ...row }) => ({
      ...row,
      standby: standby !== 0,
      createdAt: created_at,
      updatedAt: updated_at,
      health: healthOf(health),
    })),
  };
}

const ingester = (env: Pick<Env, "INGESTER">, shard: string): Pick<IngesterRpc, "status"> =>
  env.INGESTER.getByName(shard);

export function askIngesters(
  env: Pick<Env, "INGESTER">,
  shards: readonly { shard: string; script: string }[],
): Promise<AskedIngester[]> {
  return Promise.all(
    shards.map(async ({ shard, script }) => {
      try {
        return { shard, script, status: await within(ASK_TIMEOUT_MS, "status", ingester(env, shard).status()) };
      } catch (error) {
        return { shard, script, error: rootMessage(error) };
      }
    }),
  );
}

function healthOf(text: string): DestinationHealth | null {
  if (text === "") return null;
  try {
    return JSON.parse(text) as DestinationHealth;
  } catch {
    return null;
  }
}
