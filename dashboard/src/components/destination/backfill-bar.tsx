/** How far a back-fill is. */
import type { DestinationHealth } from "../../../../workers/api/contract.ts";
import { count, full, moment, percent } from "../../lib/format.ts";

/** A beginning that long ago means all. */
const ALL_MS = 3650 * 86_400_000;

export function BackfillBar({ backfill, now }: { backfill: NonNullable<DestinationHealth["backfill"]>; now: number }) {
  const share = backfill.rows > 0 ? Math.min(1, backfill.done / backfill.rows) : 0;
  return (
    <div class="backfill">
      <div class="row">
        <b>Sends what was</b>
        <span class="muted" title={`${full(backfill.from)} to ${full(backfill.to)}`}>
          {backfill.from < now - ALL_MS
            ? "all that is stored"
            : `from ${moment(backfill.from, now)} to ${moment(backfill.to, now)}`}
        </span>
        <span class="grow" />
        <span>
          {percent(share)} <span class="muted hide-phone">of {count(backfill.rows)} events read</span>
        </span>
      </div>
      <div
        class="backfill-bar"
        role="progressbar"
        aria-label="Back-fill"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <span style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
