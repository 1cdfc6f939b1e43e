/** Reads what the charts are made of: rollups and the ledger of the same buckets, and how complete they are. */
import { completeness, readCounts } from "../store/counts/read.ts";
import { stepFor } from "../store/counts/steps.ts";
import { type Buckets, cutRange } from "./measures/buckets.ts";

/**
 * Whole buckets that the stored steps fit into. Rounding a range outwards may
 * lengthen it past what is read in fine steps: then it is cut again.
 */
export function bucketsFor({ from, to }: { from: number; to: number }, now: number): Buckets {
  let cut = cutRange(from, to, stepFor(from, to, now) * 1000);
  for (let step = stepFor(cut.from, cut.to, now) * 1000; cut.bucketMs % step !== 0; ) {
    cut = cutRange(from, to, step);
    step = stepFor(cut.from, cut.to, now) * 1000;
  }
  return cut;
}

export async function readCharted(env: Env, { from, to }: Buckets, script: string | undefined) {
  const { rollups, ledger } = await readCounts(env, { from, to, script });
  const missing = [...new Set([...rollups.missing, ...ledger.missing])];
  return {
    rollups: rollups.rows,
    ledger: ledger.rows,
    completeness: completeness(ledger.rows, ledger.behindMs, missing),
  };
}
