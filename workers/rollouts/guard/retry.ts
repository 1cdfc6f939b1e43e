/** How long to wait, in looks. Pure. */
import { LOOK_MS, MAX_BACKOFF_LOOKS, MAX_RETRY_AFTER_LOOKS, VISIBLE_INTERVALS } from "./limits.ts";

/** Twice as long after each failure, less up to a half by chance (guards of many Workers must not come together), never less than was asked for. */
export function backOff(failures: number, retryAfterMs: number | null, random: number): number {
  const most = Math.min(2 ** Math.max(failures - 1, 0), MAX_BACKOFF_LOOKS);
  const own = Math.ceil(most * (1 - random / 2));
  const asked = Math.min(Math.ceil((retryAfterMs ?? 0) / LOOK_MS), MAX_RETRY_AFTER_LOOKS);
  return Math.max(own, asked, 1);
}

/** What a look adds to the visible time: what went by since the last, however far the clock jumped in between. */
export function visibleStep(lookedAt: number | null, now: number, intervalMs: number): number {
  if (lookedAt === null) return 0;
  return Math.min(Math.max(now - lookedAt, 0), VISIBLE_INTERVALS * intervalMs);
}
