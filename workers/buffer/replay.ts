/**
 * What is left in the log for viewers who come again: a hub asks when its own
 * ring does not reach back far enough (`live/`). Events only: neither counts nor
 * what was set aside.
 */
import type { LiveEntry, ReplayAnswer, ReplayRequest } from "../live/contract.ts";
import { ANSWER_BYTES, MAX_PUSH_CHARS } from "./limits.ts";
import type { Log } from "./write-ahead-log.ts";

const ANY_TIME = { from: 0, to: Number.MAX_SAFE_INTEGER } as const;

export function replay(log: Log, { afterId, maxBytes }: ReplayRequest): ReplayAnswer {
  const { entries, more } = log.page(afterId, Math.min(maxBytes, ANSWER_BYTES), ANY_TIME);
  let last: LiveEntry | undefined;
  const found = entries.map(({ id, rows, at, batch }): LiveEntry => {
    // Ids of a log follow upon each other, except where something is left out.
    const through = last !== undefined && id === last.id + 1 ? last.through + rows : log.throughOf(id);
    last = { id, through, rows, at, batch, extras: "" };
    return last;
  });
  return { entries: found, more, sealedThrough: log.sealedThrough };
}

/** What was logged since then, ms: the first of it, as much as one push carries. */
export function replaySince(log: Log, at: number): LiveEntry[] {
  return replay(log, { afterId: log.lastIdBefore(at), maxBytes: MAX_PUSH_CHARS }).entries;
}
