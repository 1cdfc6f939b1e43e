/** `GET /api/v1/ledger`: what became of everything that arrived, over time. */
import { completeness, readLedger } from "../../store/counts/read.ts";
import type { Handler } from "../context.ts";
import type { LedgerAnswer } from "../contract.ts";
import { bucketsFor } from "../counts.ts";
import { ledgerPoints } from "../measures/ledger.ts";
import { readRange } from "../range.ts";

export const ledger: Handler = async (c) => {
  const now = Date.now();
  const range = readRange(c, now);
  if (!range.ok) return range.failure;
  const buckets = bucketsFor(range.value, now);
  const { from, to, bucketMs } = buckets;
  const { rows, behindMs, missing } = await readLedger(c.env, { from, to, script: range.value.script });
  const points = ledgerPoints(rows, buckets);
  return c.json({ bucketMs, points, completeness: completeness(rows, behindMs, missing) } satisfies LedgerAnswer);
};
