/**
 * What the verdicts are allowed to get wrong, and what they are measured
 * against. Figures that led here: docs/decisions/0022-rollout-verdicts.md.
 */
import type { EventClass } from "../../api/contract.ts";

/**
 * Chance, over a whole rollout and for each kind of gate, that a version which
 * is as good as the old one is called worse (nominal: what is measured is below
 * it, see bench). The kinds' sum is what all gates together may err.
 */
export const FALSE_ALARM = { errors: 0.0011, duration: 0.0002, cpu: 0.0002, issues: 0.0001, query: 0.0001 } as const;

/** How the classes share their kind's chance. Most Workers answer requests. */
export const CLASS_SHARE: Record<EventClass, number> = {
  request: 0.85,
  durable_object: 0.05,
  queue: 0.05,
  scheduled: 0.05,
};

/** Chance, at each step, that a version which is worse by the margin passes a gate. Most regressions that count are called worse long before. */
export const FALSE_CLEAR = 0.05;

/** However little traffic is at stake. */
export const MAX_MARGIN = 0.1;
/** A next step below this share is treated as this one. */
export const MIN_NEXT_SHARE = 0.001;

/** A class below this share of all invocations is watched, but no step waits for it: a cron that runs twice an hour would hold every rollout for days. */
export const RARE_CLASS = 0.02;

/** New requests that fail from which on few samples are enough for a verdict… */
export const DISASTER_FAILURES = 2;
/** …and the share of the new version's requests that they must be. */
export const DISASTER_SHARE = 0.5;

/** A new version that should have been called so often, and was not, is silent: chance alone, e^−20. */
export const SILENT_EXPECTED = 20;
/** Telemetry of both arms does not arrive in one order: it is behind by seconds. */
export const SILENT_MS = 30_000;

/** A version's share of a step's invocations may be so many times its percentage, or so small a part of it: affinity pins users to a version and moves the share, but not so far. */
export const SHARE_FACTOR = 3;
/** …once so many of its invocations were to be expected: chance never gets there. */
export const SHARE_EXPECTED = 100;

/** Of a few minutes the difference must be so many times the effect that counts: it is noisier than that of the whole rollout. */
export const RECENT_EFFECTS = 2;

/** Seconds before the newest minute: what is older is settled. Telemetry that comes later than this is shown and not bet on; clumps.ts learns from as much. */
export const SETTLED_AFTER_S = 3_600;
