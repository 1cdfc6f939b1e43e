/** What a caller asks, as it comes from a URL or a JSON body → checked values. Pure. */
import type { QueryError } from "./errors.ts";
import { type Cursor, decodeCursor } from "./events.ts";
import { MAX_ROWS } from "./language/limits.ts";
import { parseTimeUs } from "./language/time.ts";
import { CLOCK_SKEW_MS, DEFAULT_RANGE_MS } from "./limits.ts";
import type { TimeRange } from "./plan.ts";

export interface RangeParams {
  /** ISO 8601, epoch ms, or relative. */
  from?: string | number | undefined;
  to?: string | number | undefined;
  script?: string | undefined;
}

export interface QueryParams extends RangeParams {
  q: string;
  /** Rows of the answer at most. */
  limit?: string | number | undefined;
  /** `next` of the answer before. */
  before?: string | undefined;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; error: QueryError };

const bad = (message: string): { ok: false; error: QueryError } => ({
  ok: false,
  error: { code: "bad_request", message },
});

export function checkRange(params: RangeParams, now: number, defaultMs = DEFAULT_RANGE_MS): Checked<TimeRange> {
  const given = (value: string | number | undefined) => value !== undefined && value !== "";
  const to = given(params.to) ? parseTimeUs(params.to as string, now) : (now + CLOCK_SKEW_MS) * 1_000;
  if (to === undefined) return bad(badTime("to", params.to));
  const from = given(params.from) ? parseTimeUs(params.from as string, now) : (now - defaultMs) * 1_000;
  if (from === undefined) return bad(badTime("from", params.from));
  if (from >= to) return bad("'from' must be before 'to'.");
  return { ok: true, value: { from, to } };
}

function badTime(name: string, value: unknown): string {
  return `'${name}' must be ISO 8601, epoch milliseconds or relative (-1h, now), not '${String(value).slice(0, 40)}'.`;
}

export function checkLimit(limit: string | number | undefined): Checked<number | undefined> {
  if (limit === undefined || limit === "") return { ok: true, value: undefined };
  const value = Number(limit);
  if (!Number.isInteger(value) || value < 1) return bad(`'limit' must be a whole number from 1 to ${MAX_ROWS}.`);
  return { ok: true, value: Math.min(value, MAX_ROWS) };
}

export function checkBefore(before: string | undefined): Checked<Cursor | undefined> {
  if (before === undefined || before === "") return { ok: true, value: undefined };
  const cursor = decodeCursor(before);
  return cursor ? { ok: true, value: cursor } : bad("'before' must be the 'next' of an earlier answer.");
}
