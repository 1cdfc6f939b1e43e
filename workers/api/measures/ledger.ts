/** The ledger as points of a chart. Pure. */
import { LEDGER_REASONS, type LedgerDelta } from "../../event/rollup.ts";
import type { LedgerAnswer } from "../contract.ts";
import type { Buckets } from "./buckets.ts";

/** One point per bucket, with every reason; rows outside the buckets are left out. */
export function ledgerPoints(
  rows: readonly LedgerDelta[],
  { from, to, bucketMs, count }: Buckets,
): LedgerAnswer["points"] {
  const none = Object.fromEntries(LEDGER_REASONS.map((reason) => [reason, 0]));
  const points = Array.from(
    { length: count },
    (_, i) => ({ ...none, t: from + i * bucketMs }) as LedgerAnswer["points"][number],
  );
  for (const { minute, counts } of rows) {
    const at = minute * 1000;
    const point = at < to ? points[Math.floor((at - from) / bucketMs)] : undefined;
    if (point === undefined) continue;
    for (const reason of LEDGER_REASONS) point[reason] = (point[reason] ?? 0) + (counts[reason] ?? 0);
  }
  return points;
}
