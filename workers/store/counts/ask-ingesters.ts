/**
 * Asks the Ingesters that have unsealed data for their counts, some at a time,
 * each with a time-out: a page must not wait for one that is stuck, but it must
 * say that it did not.
 */
import type { IngesterRpc, UnsealedRollups } from "../../buffer/contract.ts";
import { eachWithin } from "../../util/parallel.ts";
import { listShards } from "../catalog.ts";

/** An Ingester in the middle of a seal answers within a second. */
const ASK_TIMEOUT_MS = 5_000;
/** Asked at once. */
const ASK_WIDTH = 16;

export interface AskEnv {
  DB: D1Database;
  INGESTER: Env["INGESTER"];
}

export interface UnsealedCounts {
  entries: (UnsealedRollups["entries"][number] & { shard: string })[];
  /** Ingesters that did not answer, and why. */
  missing: string[];
}

export async function askUnsealedCounts(env: AskEnv, script: string | undefined): Promise<UnsealedCounts> {
  const open = await listShards(env.DB, { open: true, scripts: script === undefined ? undefined : [script] });
  const answer: UnsealedCounts = { entries: [], missing: [] };
  await eachWithin(open, { width: ASK_WIDTH, timeoutMs: ASK_TIMEOUT_MS }, async ({ shard }) => {
    const entries = await allEntries(env.INGESTER.getByName(shard));
    for (const entry of entries) answer.entries.push({ ...entry, shard });
  }).then((failures) => {
    for (const { item, error } of failures) answer.missing.push(`${item.shard}: ${error}`);
  });
  return answer;
}

async function allEntries(ingester: Pick<IngesterRpc, "unsealedRollups">): Promise<UnsealedRollups["entries"]> {
  const all: UnsealedRollups["entries"] = [];
  for (let afterId = 0; ; ) {
    const { entries, more } = await ingester.unsealedRollups({ afterId });
    for (const entry of entries) all.push(entry);
    const last = entries.at(-1);
    if (!more || last === undefined) return all;
    afterId = last.id;
  }
}
