/**
 * For how long the receiver wants nothing of which kind: `X-Sentry-Rate-Limits`,
 * else `Retry-After`. Remembered per project in the isolate's memory, so that
 * nobody asks again before that; a new isolate asks once and is told.
 * https://develop.sentry.dev/sdk/foundations/transport/rate-limiting/
 */
import { retryAfterMs } from "../../util/retry-after.ts";
import type { Category } from "./envelope.ts";
import { DEFAULT_WAIT_MS, MAX_WAIT_MS } from "./limits.ts";

/** Category → ms since the epoch; "" is for all. */
export type Limits = Map<string, number>;

/** Logs are counted in bytes, too. */
const CATEGORIES: Record<Category, readonly string[]> = {
  error: ["", "default", "error"],
  transaction: ["", "transaction"],
  log_item: ["", "log_item", "log_byte"],
};

/** Until when nothing of this category is wanted; 0 when it is. */
export function heldUntil(limits: Limits, category: Category, now: number): number {
  let until = 0;
  for (const name of CATEGORIES[category]) until = Math.max(until, limits.get(name) ?? 0);
  return until > now ? until : 0;
}

/** Takes in what an answer says. */
export function learn(limits: Limits, status: number, headers: Headers, now: number): void {
  const list = headers.get("x-sentry-rate-limits");
  if (list !== null && list.trim() !== "") {
    for (const part of list.split(",")) learnOne(limits, part, now);
    return;
  }
  if (status !== 429 && status !== 200) return;
  const waitMs = retryAfterMs(headers.get("retry-after"), now) ?? (status === 429 ? DEFAULT_WAIT_MS : null);
  if (waitMs !== null) hold(limits, "", now + waitMs);
}

/** `60:error;transaction:organization:reason`; without categories it is for all. */
function learnOne(limits: Limits, part: string, now: number): void {
  const [seconds = "", categories = ""] = part.trim().split(":");
  const given = Number.parseFloat(seconds);
  const waitMs = Number.isFinite(given) ? bounded(given * 1_000) : DEFAULT_WAIT_MS;
  for (const name of categories.split(";")) hold(limits, name.trim(), now + waitMs);
}

const bounded = (ms: number) => Math.min(Math.max(0, ms), MAX_WAIT_MS);

function hold(limits: Limits, category: string, until: number): void {
  if (limits.size >= MAX_CATEGORIES && !limits.has(category)) return;
  limits.set(category, Math.max(until, limits.get(category) ?? 0));
}

/** Sentry knows some twenty; a header may hold anything. */
const MAX_CATEGORIES = 50;
/** Projects that an isolate sends to. */
const MAX_PROJECTS = 200;

const projects = new Map<string, Limits>();

export function limitsOf(project: string): Limits {
  let limits = projects.get(project);
  if (limits === undefined) {
    if (projects.size >= MAX_PROJECTS) projects.clear();
    limits = new Map();
    projects.set(project, limits);
  }
  return limits;
}
