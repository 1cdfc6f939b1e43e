/** What bounds the writing of issues. */

/** Log entries of one flush batch: some 200 group commits, a few seconds of a busy Worker. */
export const FLUSH_ENTRIES = 200;
/** Text of deltas of one flush batch (one log entry at least). Aggregated it is far smaller; D1 takes 2 MB per parameter. */
export const FLUSH_BYTES = 2_000_000;
/** A stack that is kept: ingest cuts earlier; this is for what reaches the log in another way. */
export const MAX_STACK_CHARS = 64_000;

/** Deaths of one cause with no longer a pause than this are one incident. */
export const INCIDENT_GAP_MS = 30_000;

/** Issues of one request of a person. */
export const MAX_IDS = 500;
export const MAX_COMMENT_CHARS = 10_000;
export const MAX_ASSIGNEE_CHARS = 200;
/** Fingerprints that one `unmerge` may name. */
export const MAX_FINGERPRINTS = 1_000;

/** Notifications passed on by one call, and for how long nobody else takes them meanwhile. */
export const PUBLISH_BATCH = 100;
/** ms before each try for somebody who changed an issue: within the 30 s that an answered request may go on. */
export const PUBLISH_TRIES_MS = [0, 1_000, 5_000];
export const CLAIM_MS = 15_000;
/** A queue that takes longer is taken to be away: destinations look for notices every minute. */
export const NUDGE_TIMEOUT_MS = 2_000;

/** Fingerprints that one call of `regroup` leads to their issue: some 2 ms each with local stores (measured), more over the network. */
export const REGROUP_ROWS = 100;
/** Calls of `regroup` by one `regroupAll`: 1,000 fingerprints. */
export const REGROUP_STEPS = 10;
/** Ids of versions are UUIDs; replayed items may have others. */
export const MAX_VERSION_CHARS = 200;

/** Rows that one statement forgets, and statements of one run per table: the next day goes on. */
export const RETENTION_ROWS = 5_000;
export const RETENTION_STATEMENTS = 100;
/** Issues that were not seen for so long are forgotten, or for as long as events are kept if that is longer. */
export const ISSUE_KEPT_MS = 400 * 86_400_000;
/** Fingerprints of a Worker: with the counts and stacks of some versions each, some hundred MB of D1's 10 GB. */
export const MAX_KNOWN = 50_000;
/** Fingerprints of one batch that forgets, and of one run: five Workers that make 300 a minute are bounded by the hour. */
export const FORGET_AT_ONCE = 1_000;
export const FORGET_PER_RUN = 100_000;
/** Versions of one hourly sweep. */
export const SWEEP_VERSIONS = 50;
/** Older counts per minute become counts per hour: by then one looks at days. A range of hours that far back shows whole hours. */
export const FOLD_MINUTES_AFTER_MS = 7 * 86_400_000;
