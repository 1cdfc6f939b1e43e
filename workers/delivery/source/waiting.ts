/**
 * How much waits for a destination that reads nothing now, because it is paused or
 * its receiver is down: only so that a page says so. One batch of D1 for all shards,
 * and a word of the Ingesters that have something unsealed; nothing is read or
 * decoded. A shard of which nothing was heard is left out.
 */
import { type SQL, sql } from "drizzle-orm";
import type { IngesterRpc } from "../../buffer/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { sealedLog, shards } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { eachWithin } from "../../util/parallel.ts";
import { within } from "../../util/within.ts";
import type { Position } from "../contract.ts";
import { SEALED_SUMMED, WAITING_TIMEOUT_MS, WAITING_WIDTH } from "./limits.ts";
import type { SourceEnv } from "./read.ts";
import { after } from "./sealed.ts";

export interface Asked {
  shard: string;
  position: Position;
}

export interface Waiting {
  rows: number;
  /** ms: of the oldest of them. */
  oldest: number | null;
}

type Sealed = { rows: number; minTime: number | null; open: number | null };

/** Never throws. */
export async function waitingOf(
  env: Pick<SourceEnv, "DB" | "INGESTER">,
  reader: string,
  asked: readonly Asked[],
): Promise<Map<string, Waiting>> {
  const found = new Map<string, Waiting>();
  if (asked.length === 0) return found;
  try {
    const sealed = await within(WAITING_TIMEOUT_MS, "D1", runBatch<[Sealed][]>(env.DB, asked.map(sealedAfter)));
    const open: Asked[] = [];
    for (const [i, one] of asked.entries()) {
      const row = sealed[i]?.[0] as Sealed | undefined;
      const oldest = row?.minTime == null ? null : Math.floor(row.minTime / 1000);
      found.set(one.shard, { rows: Math.ceil(row?.rows ?? 0), oldest });
      if (row?.open !== 0) open.push(one);
    }
    const failed = await eachWithin(open, { width: WAITING_WIDTH, timeoutMs: WAITING_TIMEOUT_MS }, async (one) => {
      const ingester: Pick<IngesterRpc, "readLog"> = env.INGESTER.getByName(one.shard);
      const request = { reader, afterId: one.position.through, maxBytes: 0, errorsOnly: false };
      const { waiting, oldest } = await ingester.readLog(request);
      const { rows, oldest: first } = found.get(one.shard) as Waiting;
      found.set(one.shard, { rows: rows + waiting, oldest: first ?? oldest });
    });
    // Half of it would be told as all of it.
    for (const { item } of failed) found.delete(item.shard);
    return found;
  } catch (error) {
    console.warn(`delivery: how much waits for ${reader} is not known: ${rootMessage(error)}`);
    return new Map();
  }
}

/** Of the chunk in which the position lies, what is after it, by its entries. */
function sealedAfter({ shard, position: { through } }: Asked): SQL {
  return sql`SELECT total(CASE WHEN first_id > ${through} THEN rows
      ELSE rows * (last_id - ${through}) / (last_id - first_id + 1.0) END) AS rows, min(min_time) AS minTime,
      (SELECT open FROM ${shards} WHERE shard = ${shard}) AS open
    FROM (SELECT rows, first_id, last_id, min_time FROM ${sealedLog} WHERE ${after(shard, through)}
      ORDER BY first_id LIMIT ${SEALED_SUMMED})`;
}
