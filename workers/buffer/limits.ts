/**
 * What bounds an Ingester. An isolate has 128 MB and may hold several
 * Ingesters at once; the log itself lies in SQLite on disk, so memory is spent
 * only on one chunk while it is sealed, and on one answer while it is sent.
 */

/**
 * A chunk of the log is closed, and sealed, at the first of these.
 * Events: a segment per 20,000 events is 50 R2 puts (0.0002 $) per million, and
 * encoding it holds the object for some 0.2 s. Compaction makes it bigger later.
 */
export const CHUNK_EVENTS = 20_000;
/** Decoding, merging and encoding take some 5 times the text: 8 MB stay well below the isolate's memory. */
export const CHUNK_BYTES = 8_000_000;
/** Keeps the list of a chunk's batch ids, one SQLite value, far below 2 MB. */
export const CHUNK_APPENDS = 5_000;
/**
 * A quiet Worker is sealed this often: 8,760 puts a month (0.04 $) at most.
 * Until then its events are read from the log, so nobody waits for it.
 */
export const SEAL_AGE_MS = 5 * 60_000;

/** SQLite in a Durable Object refuses rows above 2 MB; longer texts are cut into parts. */
export const MAX_ROW_BYTES = 1_900_000;
/** Characters of one part: at most 3 bytes of UTF-8 each. */
export const PART_CHARS = 600_000;
/** One append. The Collector cuts its batches far smaller; together with CHUNK_BYTES this bounds a chunk. */
export const MAX_APPEND_BYTES = 4_000_000;

/**
 * Unsealed data per shard. Above soft only essential batches are taken, above
 * hard nothing. Far more than sealing ever leaves behind: this is what R2 or D1
 * may be away for. Queries read all of it, which is why it is not larger.
 */
export const SOFT_BYTES = 256_000_000;
export const HARD_BYTES = 384_000_000;
export const SOFT_EVENTS = 1_000_000;
export const HARD_EVENTS = 1_500_000;
/** Ids of unsealed batches are in memory: some 100 bytes each. */
export const SOFT_APPENDS = 100_000;
export const HARD_APPENDS = 150_000;
/** What an overloaded Ingester asks callers to wait. */
export const RETRY_AFTER_MS = 1_000;

/** Ids of sealed batches: remembered far beyond any retry of an append. So many are some 5 MB of memory. */
export const REMEMBER_BATCHES = { ms: 10 * 60_000, ids: 50_000 } as const;

/** One answer of `unsealed()`: a query asks 16 Ingesters at once, in an isolate of 128 MB. */
export const ANSWER_BYTES = 2_000_000;
/** One answer of `unsealedRollups()`. */
export const ROLLUP_ANSWER_BYTES = 4_000_000;
/** Who follows the counts comes every 2 s; one that was not here for so long has gone, and what is sealed is a gap for it. */
export const FOLLOW_MS = 30_000;
/** Counts held for it beyond their seal: at 250 appends a second of 1 KB it is some 10 s of the busiest shard. */
export const FOLLOW_BYTES = 3_000_000;

/** One page of `readLog()`: with what is made of it, a Courier stays far below an isolate's memory. */
export const READ_LOG_BYTES = 4_000_000;
/** Entries that one page looks at. */
export const READ_LOG_ENTRIES = 2_000;
/** Above this part of what an Ingester takes, readers of its log give way … */
export const GIVE_WAY_USE = 0.5;
/** … for so long; one that waited is not put off again before the appends have ended. */
export const GIVE_WAY_MS = 60_000;
/** Readers that are remembered: more than there are destinations. */
export const MAX_PUT_OFF = 200;
/** So often at most a shard says that it has something to deliver: a message costs three operations of a queue. */
export const NUDGE_MS = 5_000;
/** The same when there are errors among it. */
export const NUDGE_ERRORS_MS = 2_000;
/** A queue that takes longer is taken to be away; the next nudge tries again. */
export const NUDGE_TIMEOUT_MS = 5_000;

/** A version that was not seen for so long is active again when it is. */
export const VERSION_PAUSE_MS = 60_000;
/** Versions that were active within so long may share the traffic: one of them may get very little. */
export const TOGETHER_MS = 10 * 60_000;
/** While several are, the guard is told again: it may have been unable to look. */
export const TELL_AGAIN_MS = 10 * 60_000;
export const MAX_ACTIVE_VERSIONS = 20;
/** The guard asks Cloudflare, which takes its time. */
export const TELL_TIMEOUT_MS = 30_000;

/** Batches that cannot be decoded are kept for a human to look at, up to this many bytes; then the oldest go. */
export const QUARANTINE_BYTES = 50_000_000;

/** Failed seals are tried again after 1 s, 2 s, 4 s … up to this. */
export const MAX_BACKOFF_MS = 30_000;
export const FIRST_BACKOFF_MS = 1_000;
/** An append waits this long for D1 to note that its shard has unsealed data, then leaves it to the alarm. */
export const MARK_TIMEOUT_MS = 2_000;
/** Chunks sealed by one alarm: some 5 s of CPU, of the 30 s that an invocation has. */
export const CHUNKS_PER_ALARM = 20;
/** While an alarm seals, it looks this often whether issues are to be flushed. */
export const ALARM_STEP_MS = 250;
/** R2 and D1 calls of a seal that take longer count as failed (D1 itself gives up a batch after 30 s). */
export const STORE_TIMEOUT_MS = 30_000;

/**
 * Issue deltas are flushed this long after something that may be new (a
 * fingerprint or version that this object has not flushed lately): appends of
 * the same burst come along, and 4 s of the 5 s in which it must be told remain.
 */
export const FLUSH_NEWS_MS = 1_000;
/** What keeps failing is flushed this often: some six D1 rows per fingerprint and flush. */
export const FLUSH_KNOWN_MS = 4_000;
/** What was not flushed for so long may be a regression, so it counts as new. */
export const KNOWN_FOR_MS = 60_000;
/** Fingerprints with their version, and versions, that an object knows: some 100 bytes each. */
export const MAX_KNOWN = 10_000;
/** Sketches of distinct values in memory: up to 10 KB each, mostly a few hundred bytes. */
export const MAX_SKETCHES = 500;
/** Counted occurrences that may come again, because their sender gave them an id: some 40 bytes of memory each. */
export const REMEMBER_OCCURRENCES = { ids: 200_000, ms: Number.POSITIVE_INFINITY } as const;
/** So often, a second apart, D1 refuses an entry alone, while it takes other writes, before the entry is set aside. */
export const STRIKES = 3;
/** Versions with a new map that wait to be regrouped; more are found by the hourly sweep. */
export const MAX_REGROUPS = 100;

/**
 * What waits for one hub: a second of the busiest shard. Nothing is lost beyond
 * it but the sight of it, and an isolate may hold several watched Ingesters.
 */
export const MAX_WAITING_CHARS = 3_000_000;
export const MAX_WAITING_ENTRIES = 2_000;
/** One push: some 15,000 events, which a hub reads in 20 ms. */
export const MAX_PUSH_CHARS = 1_500_000;
export const MAX_PUSH_ENTRIES = 500;
/** Extras of one append; longer ones are left out. */
export const MAX_EXTRAS_CHARS = 2_000_000;
/** From the start of one push to the next: a hub of 16 busy shards gets 640 calls a second at most, and nobody sees the wait. */
export const PUSH_GAP_MS = 25;
/** After the first push that failed; after further ones as long as after failed seals. */
export const PUSH_RETRY_MS = 100;
/** A hub that takes longer is taken to be away. Far more than it ever needs: each try that hangs keeps its push in memory. */
export const PUSH_TIMEOUT_MS = 10_000;
/** How long an entry, and what comes after it, waits for its extras: one call there and back. */
export const SUPPLY_MS = 300;
/** What is older is no news to those who watch, when a shard tells a hub of what it had no chance to push: after a crash, or at its opening. */
export const RECENT_MS = 10_000;
