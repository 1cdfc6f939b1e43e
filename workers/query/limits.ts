/**
 * The limits of a query, in one place: a Worker has 128 MB and one thread, and
 * one question must not take the isolate from the others. Exceeding a limit is
 * a tagged error that says what to do, never a crash.
 */

/** Events of an answer when the question names no limit. */
export const DEFAULT_ROWS = 100;

/** Groups of one `stats`: at some 100 B and a few states each this stays under 30 MB. */
export const MAX_GROUPS = 100_000;
/** Values kept for exact quantiles (8 B each, 16 B weighted); beyond, sketches (1 %). */
export const MAX_EXACT_VALUES = 1_500_000;
/** Values kept for exact distinct counts; beyond, HyperLogLog (about 1.6 %). */
export const MAX_EXACT_DISTINCT = 200_000;
/** Estimated bytes of all states of one query. */
export const MAX_STATE_BYTES = 32 << 20;

/**
 * Segments read by one query, after pruning: each costs at least two reads of
 * the 10,000 that an invocation has.
 */
export const MAX_SEGMENTS = 3_000;
/** Bytes read from R2 for one query. */
export const MAX_BYTES = 2_000_000_000;
/** Wall time of one query, ms: longer than anybody waits for a page. */
export const MAX_WALL_MS = 25_000;
/** Unsealed batches that one query takes from the Ingesters, in characters of their encoded text. */
export const MAX_LIVE_CHARS = 32 << 20;
/** An Ingester that does not answer in this time is reported as missing, ms. */
export const LIVE_TIMEOUT_MS = 5_000;
/** Reads under way at once: a Worker may wait for six connections. */
export const READ_CONCURRENCY = 6;
/** Segments and row groups under way at once: a row group of text is some 15 MB while it is searched … */
export const SEGMENTS_AT_ONCE = 3;
/** … but segments that were just sealed are small, and many. */
export const SMALL_SEGMENTS_AT_ONCE = 6;
export const SMALL_SEGMENT_BYTES = 512 << 10;

/** Kept in the isolate between queries: bytes of segments as read from R2 … */
export const RANGE_CACHE_BYTES = 12 << 20;
/** … decoded columns … */
export const COLUMN_CACHE_BYTES = 10 << 20;
/** (larger ones would drive out all others, and decode from cached bytes quickly enough) … */
export const MAX_CACHED_COLUMN = 1 << 20;
/** … and parsed footers. */
export const FOOTER_CACHE_BYTES = 2 << 20;
/** Decoded unsealed batches kept in the isolate between queries, as encoded characters. */
export const LIVE_CACHE_CHARS = 6 << 20;

/** Without `from`, a query looks back this far, ms. */
export const DEFAULT_RANGE_MS = 3_600_000;
/** Without `to`, a query looks this far ahead: clocks of locations differ, ms. */
export const CLOCK_SKEW_MS = 5_000;
/** Parsed pruning of segments kept in the isolate between queries. */
export const PRUNING_CACHE_BYTES = 4 << 20;

/** Segments whose attribute lists are read for completion. */
export const FIELD_SEGMENTS = 200;
/** Fields of one answer: some 500 KB of JSON. Further ones are not offered, yet can be asked for. */
export const MAX_FIELDS = 5_000;
/** Events looked at for the values of a field: enough to be typical, few enough to be quick. */
export const VALUE_EVENTS = 500_000;
/** Values of a field in one answer. */
export const MAX_VALUES = 200;
/** Events of one invocation: more than 256 KiB of logs can hold. */
export const MAX_INVOCATION_EVENTS = 10_000;
/** With `around`, an invocation's events are looked for this far on both sides, ms. */
export const AROUND_MS = 3_600_000;
/** Older times at the beginning of an id are taken for chance, ms: ten years. */
export const MAX_ID_AGE_MS = 315_360_000_000;
