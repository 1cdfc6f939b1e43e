/**
 * Is a consumer moving? Judged by forward progress alone: one whose cursor has not
 * moved for a minute while there is something to do stands still, whatever it says
 * of itself; one without work is idle, one that has just got its first work has not
 * failed yet. Pure: `consumers.ts` hands in what is known, `/healthz` and the status
 * page show what comes out.
 */

/** No progress for this long, with work there, is a standstill. Tries of deliveries are at most 30 s apart. */
export const STALL_MS = 60_000;
/** A consumer writes down how it is at least once a minute: three missed are silence. */
export const SILENT_MS = 180_000;

export interface ConsumerFacts {
  paused: boolean;
  hasWork: boolean;
  /** When its cursor last moved, or work came while it had none; null: never yet. */
  movedAt: number | null;
  /** Since when it can move at all: it was made, changed, resumed. */
  since: number;
  /** Until when all that waits is meant to; null: it is not. */
  dueAt?: number | null;
  /** When it last said anything of itself; null: never yet; undefined: it was asked just now. */
  reportedAt?: number | null;
  /** By its last word, what comes goes on by another way. */
  isCarried?: boolean;
}

export type Condition = "idle" | "moving" | "stalled" | "new" | "paused";

export function judgeProgress(facts: ConsumerFacts, now: number): { condition: Condition; message: string } {
  const { paused, hasWork, movedAt, since, reportedAt } = facts;
  if (paused) return { condition: "paused", message: "Paused." };
  const heardAt = reportedAt === undefined ? now : Math.max(reportedAt ?? 0, since);
  if (now - heardAt > SILENT_MS)
    return { condition: "stalled", message: `It has not been heard of for ${seconds(now - heardAt)}.` };
  if (reportedAt === null) return { condition: "new", message: "It has just begun." };
  if (!hasWork) return { condition: "idle", message: "Nothing to do." };
  const still = now - Math.max(movedAt ?? 0, since, facts.dueAt ?? 0);
  if (still > STALL_MS && facts.isCarried === true)
    return {
      condition: "moving",
      message: `It has not moved for ${seconds(still)}, and what comes goes on elsewhere.`,
    };
  if (still > STALL_MS)
    return { condition: "stalled", message: `It has work, and has not moved for ${seconds(still)}.` };
  return movedAt === null || movedAt < since
    ? { condition: "new", message: "It has just begun." }
    : { condition: "moving", message: "It moves." };
}

const seconds = (ms: number) => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);
