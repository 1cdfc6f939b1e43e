/** Limits of the guard, and why they are what they are. Waits are counted in looks, not by the clock: a clock may jump, an alarm comes when it comes. */

/**
 * ms between looks while a rollout runs. A day of it costs 43,200 alarms, some
 * eight rows each (the alarm, the state a few times, the evidence), and 10,800
 * GB-s, since the object never rests: about 0.50 $ (1 $/M rows, 12.50 $/M GB-s).
 */
export const LOOK_MS = 2_000;
/** ms between looks while nothing can be done: somebody else's split, or a pause without traffic. */
export const SLOW_LOOK_MS = 10_000;
/** A look adds at most this many of its intervals to the visible time, however long it was away. */
export const VISIBLE_INTERVALS = 2;

/** Looks between two readings of the live deployment while nothing is to be done: 10 s. Cloudflare allows 1,200 requests in 5 minutes per user. */
export const LIVE_LOOKS = 5;
/** … of somebody else's split that has been watched for FRESH_WATCH_MS: a minute. It may stay for weeks, and the limit is everybody's. */
export const WATCHED_LIVE_LOOKS = 6;
/** Visible ms of a watched split in which people still move it, and each look reads. */
export const FRESH_WATCH_MS = 15 * 60_000;
/** Visible ms after which advice that nobody followed, at no traffic at all, ends: a week. */
export const UNHEARD_ADVICE_MS = 7 * 24 * 3_600_000;
/** Readings, one a look, before a deployment that Cloudflare did not confirm counts as not made. */
export const SETTLE_LOOKS = 3;
/** Readings in a row that say that the Worker is gone, before it is believed. */
export const MISSING_READS = 3;
/** Looks after the end in which telemetry is still added to the page, and in which a deployment that was never confirmed may still appear, and is taken back: a minute. */
export const AFTERCARE_LOOKS = 30;
/** Looks until a step that preflight or Cloudflare refused is tried again: 30 s. */
export const REFUSED_LOOKS = 15;
/** Looks until preflight of a step that could not be read is read again, 10 s: each takes five calls, and those that fail are tried again. */
export const UNREAD_LOOKS = 5;
/** Tries of a first step that Cloudflare did not refuse but never made. About ten minutes. */
export const START_TRIES = 12;

/** Looks between tries at most, by our own count: a minute; … */
export const MAX_BACKOFF_LOOKS = 30;
/** … and when Cloudflare asks for more: its window for rate limits is five minutes. */
export const MAX_RETRY_AFTER_LOOKS = 150;

/** Looks in a row without sight before somebody is told: a minute. */
export const DARK_LOOKS = 30;
/** Tries of a take-back before somebody is told that it does not work. */
export const TOLD_TRIES = 3;

/** ms that a person's command waits for what comes of it. */
export const COMMAND_MS = 15_000;
/** ms for a statement to D1. */
export const DB_MS = 5_000;
/** Looks between two writes of the list's row for a changed sentence alone: D1 bills by the row. */
export const ROW_LOOKS = 8;

/** Decisions to hold that are kept per rollout, some 6 KB each: what a week of one an hour takes, and any storm fits in. */
export const MAX_DECISIONS = 500;
/** Visible ms between two decisions to hold of which only the verdict or the reason differs, once a step has FREE_DECISIONS. */
export const DECISION_MS = 60_000;
export const FREE_DECISIONS = 20;
/** All other lines of the record per rollout; the last of them are of what ended it. */
export const MAX_EVENTS = 2_000;
/** Answers of Cloudflare that are recorded for one action, one by one. */
export const MAX_ANSWERS = 10;
/** Rollouts of a Worker whose record is kept here; the list in D1 keeps its rows. */
export const KEPT_ROLLOUTS = 50;
/** Lines of the record on a page. */
export const PAGE_EVENTS = 200;
/** Points of a page's charts. */
export const MAX_POINTS = 300;

/** Characters of a deployment's message that Cloudflare keeps. */
export const MESSAGE_CHARS = 100;
/** ms: telemetry that came within is recent. */
export const RECENT_MS = 10 * 60_000;
/** ms between two looks at whether somebody else splits traffic. */
export const NOTICED_MS = 30_000;
/** … of one isolate in a minute, for all Workers: a few per cent of what Cloudflare allows. */
export const NOTICED_READS = 10;
/** A Worker that Cloudflare does not know need not be asked about for so long, … */
export const UNKNOWN_MS = 60 * 60_000;
/** … and one of which nothing could be read. */
export const NOT_READ_MS = 5 * 60_000;
/** While no account is connected, Ingesters need not tell of versions for so long. */
export const NOT_CONNECTED_MS = 10 * 60_000;
/** Versions that Cloudflare can deploy: the newest hundred. From this place on there is little left. */
export const WINDOW_WARNING = 90;
export const VERSION_WINDOW = 100;
