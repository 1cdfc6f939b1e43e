/** What bounds a reader: several Couriers may share one isolate of 128 MB. */

/** Rows of `sealed_log` looked at for one page; a chunk of the log has 24 at most. */
export const SEALED_LISTED = 96;
/** Segments of a back-fill looked at for one page. */
export const BACKFILL_LISTED = 32;
/** Of what waits, so many rows of D1 are added up: the rest of a queue of days is not worth reading with every page. */
export const SEALED_SUMMED = 2_000;
/** Decoded segments that are kept for the next page and for other destinations, together: some 50 MB of cells and texts. */
export const KEPT_CELLS = 4_000_000;
export const KEPT_SOURCES = 4;
/** Kept no longer than this: who reads comes again at once. */
export const KEPT_MS = 60_000;
/** R2 and Ingesters that take longer are taken to be away. */
export const READ_TIMEOUT_MS = 30_000;
/** A look at how much waits is worth no more … */
export const WAITING_TIMEOUT_MS = 5_000;
/** … of so many Ingesters at once. */
export const WAITING_WIDTH = 8;
/** How long what no destination came to fetch is kept for it. */
export const HOLD_DAYS = 7;
/** A Courier that does not say where it is, is asked again in an hour. */
export const MARKS_TIMEOUT_MS = 10_000;
/** A Courier only notes a nudge. */
export const NUDGED_TIMEOUT_MS = 5_000;
