/** How far a back-fill is. */
import type { DestinationHealth } from "../../../../workers/api/contract.ts";
import { count, full, moment, percent } from "../../lib/format.ts";
import { Icon } from "../icons.tsx";

/** A beginning that long ago means all. */
const ALL_MS = 3650 * 86_400_000;

type Backfill = NonNullable<DestinationHealth["backfill"]>;

export const isSending = (backfill: Backfill | null): boolean => backfill !== null && backfill.done < backfill.rows;

export function BackfillBar({ backfill, now }: { backfill: Backfill; now: number }) {
  const sending = isSending(backfill);
  const share = backfill.rows > 0 ? Math.min(1, backfill.done / backfill.rows) : 1;
  const range =
    backfill.from < now - ALL_MS
      ? "all that is stored"
      : `from ${moment(backfill.from, now)} to ${moment(backfill.to, now)}`;
  return (
    <div class="backfill">
      <div class="row">
        {!sending && (
          <span class="good row">
            <Icon name="check" />
          </span>
        )}
        <b>{sending ? "Sends what was" : "Sent what was"}</b>
        <span class="muted" title={`${full(backfill.from)} to ${full(backfill.to)}`}>
          {range}
        </span>
        <span class="grow" />
        <span>
          {sending ? percent(share) : ""}{" "}
          <span class="muted hide-phone">
            {sending ? "of " : ""}
            {count(backfill.rows)} events read
          </span>
        </span>
      </div>
      <div
        class={`backfill-bar ${sending ? "" : "over"}`}
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
