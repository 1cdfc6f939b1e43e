import { expect, test } from "vitest";
import type { UnsealedAnswer } from "../../../workers/buffer/contract.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { LIVE_CACHE_CHARS, MAX_LIVE_CHARS } from "../../../workers/query/limits.ts";
import { readLive } from "../../../workers/query/live.ts";

const EVERYTHING = { from: 0, to: 1_000_000 };
/** A shard's unsealed text: below what the cache would refuse for being too much. */
const CHARS = Math.floor(LIVE_CACHE_CHARS / 4);

function batchText(): string {
  const builder = new BatchBuilder();
  const message = "x".repeat(CHARS);
  builder.push({ time: 1, kind: "log", script: "s", invocation_id: "i", seq: 0, sample_weight: 1, message });
  return builder.encode();
}

/** Shards with one large batch each. */
function ingesters() {
  const batch = batchText();
  const all = [{ id: 1, minTime: 1, maxTime: 1, rows: 1, batch }];
  const unsealed = async ({ afterId }: { afterId: number }): Promise<UnsealedAnswer> => {
    return { batches: all.filter(({ id }) => id > afterId), more: false };
  };
  return { getByName: () => ({ unsealed }) } as never;
}

test("what a query takes from many Ingesters together is bounded, and it says whose events are missing", async () => {
  const count = 3 * Math.ceil(MAX_LIVE_CHARS / CHARS);
  const shards = Array.from({ length: count }, (_, n) => ({ shard: `s${n}`, script: "s", sealedThrough: 0, open: 1 }));
  // The second one finds some of them in the cache.
  for (let n = 0; n < 2; n++) {
    const answer = await readLive(ingesters(), shards, EVERYTHING);
    const taken = answer.batches.reduce((sum, batch) => sum + batch.chars, 0);
    expect(taken).toBeLessThanOrEqual(MAX_LIVE_CHARS);
    expect(taken).toBeGreaterThan(MAX_LIVE_CHARS / 2);
    expect(answer.batches.length + answer.missing.length).toBe(count);
    expect(answer.missing[0]).toMatch(/^s\d+: more unsealed events/);
  }
});
