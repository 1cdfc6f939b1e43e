/** What was not shown since the list was begun, by kind and by reason. Pure. */
import type { LiveMessage } from "../../../../workers/api/contract.ts";

type Events = Extract<LiveMessage, { type: "events" }>;

export interface NotShownTotal {
  events: number;
  /** Of these, errors or of invocations that failed. */
  errors: number;
  kinds: Record<string, number>;
  /** More than the rate that was asked for; more than this browser had read; more at one moment than is sent at once. */
  rate: number;
  slow: number;
  size: number;
  /** Could not be compared with the filter in time. */
  unchecked: number;
  /** Only in the store: they left the server's memory while there was no connection. Matching or not. */
  gone: number;
  /** ms: between these they happened. */
  from: number;
  to: number;
}

export const noneMissing = (): NotShownTotal => ({
  events: 0,
  errors: 0,
  kinds: {},
  rate: 0,
  slow: 0,
  size: 0,
  unchecked: 0,
  gone: 0,
  from: 0,
  to: 0,
});

/** Events carry the time when they happened; they come when their invocation has ended. */
const LATE_MS = 10_000;

/** When what came between two messages of the server's happened. */
export const between = (from: number, to: number) => ({ from: from - LATE_MS, to });

function spread(total: NotShownTotal, since: number, now: number): { from: number; to: number } {
  const { from, to } = between(since, now);
  return { from: total.from === 0 ? from : Math.min(total.from, from), to: Math.max(total.to, to) };
}

/** `since`: server's time of the message before, from when on they may have happened. */
export function addNotShown(total: NotShownTotal, message: Events, since: number): NotShownTotal {
  const { notShown, unchecked = 0, because, now } = message;
  if (notShown === undefined && unchecked === 0) return total;
  const kinds = { ...total.kinds };
  for (const [kind, n] of Object.entries(notShown?.kinds ?? {})) kinds[kind] = (kinds[kind] ?? 0) + n;
  const events = notShown?.events ?? 0;
  return {
    ...total,
    ...spread(total, since, now),
    events: total.events + events,
    errors: total.errors + (notShown?.errors ?? 0),
    kinds,
    rate: total.rate + (because === "slow" || because === "size" ? 0 : events),
    slow: total.slow + (because === "slow" ? events : 0),
    size: total.size + (because === "size" ? events : 0),
    unchecked: total.unchecked + unchecked,
  };
}

export function addGone(total: NotShownTotal, events: number, from: number, to: number): NotShownTotal {
  return events === 0 ? total : { ...total, ...spread(total, from, to), gone: total.gone + events };
}

export const isMissing = (t: NotShownTotal): boolean => t.events + t.unchecked + t.gone > 0;
