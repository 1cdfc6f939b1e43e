/** What bounds the evidence of a rollout. The guard looks every 2 s (LOOK_MS of guard/limits.ts). */

/** One look, whatever hangs: it must end before the next begins. */
export const LOOK_TIMEOUT_MS = 1_500;
/** An answer of an Ingester that hangs is waited for by later looks; after this it is asked anew. */
export const ABANDON_MS = 30_000;
/** The list of shards in D1 is read so often: a shard's log keeps what it has for longer. */
export const SHARDS_MS = 15_000;
/** The list is used on when D1 does not answer; after so long it is said that new shards may be unseen. */
export const STALE_SHARDS_MS = 60_000;

/** Minutes before the rollout in which the old version's figures are taken in: thresholds have something to begin with. */
export const BEFORE_MS = 15 * 60_000;
/** Clocks differ, and replayed items may say anything: minutes further ahead are left out. */
export const AHEAD_MS = 2 * 60_000;

/** Minutes older than this are added up to hours. */
export const MINUTES_KEPT_MS = 86_400_000;
/** Settled minutes of query gates are kept for so long, for what decide/clumps.ts learns. */
export const CLUMPS_S = 3_600;
/** Minutes are settled so often, as one: each time the sketches of a few are dropped. */
export const SETTLE_EVERY_MS = 5 * 60_000;
/** Older hours go: a watched split may run for months. */
export const HOURS_KEPT_MS = 35 * 86_400_000;

/** What arrived in so many ms is one point while a page moves. */
export const TICK_MS = 10_000;
export const TICKS_KEPT_MS = 15 * 60_000;

/**
 * Victims of one isolate's death end together: within this of the first one in
 * the same place. Deaths of isolates that die one by one are counted apart, up
 * to ten a second and place, and by then everything that is compared has failed.
 */
export const DEATH_MS = 100;
/** A victim that arrives later than this after the others counts as a death of its own. */
export const DEATHS_KEPT_MS = 5 * 60_000;
export const MAX_DEATHS = 2_000;

/** Entrypoints that are known to be Durable Objects. */
export const MAX_CLASSES = 200;

/** Nothing from either version, though so many were to be expected meanwhile: our own telemetry may be down. */
export const SILENCE_EXPECTED = 60;
export const SILENCE_MS = 20_000;
/** Traffic must have been seen for so long, and the silence be so many times the longest pause in it. */
export const SILENCE_AFTER_MS = 30_000;
export const SILENCE_PAUSES = 3;
/** After so long it is taken for what it looks like: no traffic. */
export const SILENCE_UNTIL_MS = 30 * 60_000;

/** New issues are asked for so often, and so many are looked at. */
export const ISSUES_MS = 5_000;
export const MAX_ISSUES = 50;
/** Errors that the old version had within so long before the rollout are known ones, whatever their fingerprint is now. */
export const KNOWN_MS = 7 * 86_400_000;
/** Of these, the latest. */
export const MAX_KNOWN = 500;
/** Top frames that could not be led to the source are tried again: maps follow a deployment by seconds. */
export const FRAME_AGAIN_MS = 20_000;
/** Frames that one refresh reads: the first few issues are what people look at first. */
export const FRAMES_AT_ONCE = 10;
/** Exemplars among which one with a stack is looked for. */
export const MAX_STACKS = 20;
/** What D1 may take; meanwhile looks go on without. */
export const STORE_MS = 5_000;
/** Answers that are older do not count as known any more. */
export const STALE_MS = 45_000;

/** Query gates are asked so often. */
export const QUERIES_MS = 15_000;
/** One of them may take so long; meanwhile looks go on without. */
export const QUERY_WAIT_MS = 10_000;
/** Minutes that may still change: late telemetry, sealing. They are asked for again. */
export const OPEN_MINUTES = 3;
/** Minutes of one question: after a time away the past is asked for in parts. */
export const QUERY_MINUTES = 30;
