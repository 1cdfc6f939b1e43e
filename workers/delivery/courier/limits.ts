/** Limits of a Courier, and why they are what they are. */

/** Batches of one destination that are under way at once: hides the round trip, and is no flood for a receiver. */
export const IN_FLIGHT = 4;
/** Pages that are read at once, beside what is being sent. */
export const READS = 2;
/** Bytes of log that one page holds: some thousand events. */
export const PAGE_BYTES = 1 << 20;
/** … and the first one after a quiet time. */
export const FIRST_PAGE_BYTES = 64 << 10;
/** Rows of segments that one page holds. */
export const PAGE_ROWS = 4_096;
/** Rough bytes of items that one channel holds in memory; an isolate has 128 MB for all that live in it. */
export const WINDOW_BYTES = 12 << 20;
/** Items of one lane that are decided about beyond its cursor: 32 characters each on disk, far from the 2 MB of a row. */
export const WINDOW_ITEMS = 8_192;
/** Notices that are read at once. */
export const NOTICES_PAGE = 100;

/** ms that one run goes on; an alarm may take 15 minutes. */
export const RUN_MS = 5 * 60_000;
/** ms: what one call of `send` may take; a request has 10 s, and a batch may need a few. */
export const SEND_MS = 40_000;
/** ms for stores to answer one page; the reader itself gives up before. */
export const STORE_MS = 45_000;
/** ms between looks at what D1 says is new: what a lost nudge costs. */
export const SWEEP_MS = 60_000;
/** ms between two writes of the health into D1, when it changed. */
export const HEALTH_MS = 15_000;
/** ms within which an Ingester seals, when a destination is made. */
export const SEAL_MS = 10_000;
/** Ingesters that are asked to at once. */
export const SEAL_WIDTH = 8;

/** Back-off: the ceiling doubles from the first to the second. */
export const BACKOFF_MIN_MS = 1_000;
export const BACKOFF_MAX_MS = 30_000;
/** A receiver that only a person can mend is asked again ever more seldom, up to every five minutes. */
export const HOLD_MIN_MS = 15_000;
export const HOLD_MAX_MS = 5 * 60_000;
/** How long a receiver may ask us to wait. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** ms that items of one kind wait when the receiver wants none of them now, and does not say for how long. */
export const KIND_WAIT_MS = 60_000;

/** Items that are sent from beyond a full window while others in it wait: in memory at once, … */
export const STRAYS = 256;
/** … and remembered by id: half of what a row may hold on disk, with those of the window. From then on all wait. */
export const STRAY_IDS = 16_384;
/** … and how much of memory they may take on top, rough bytes. */
export const STRAY_BYTES = 4 << 20;

/** Failures in a row that open the circuit. */
export const BREAKER_CONSECUTIVE = 5;
/** … or a share of the newest sends, once there are enough of them. */
export const BREAKER_WINDOW = 20;
export const BREAKER_MIN_SENDS = 10;
export const BREAKER_SHARE = 0.5;
/** ms: an answer that takes longer counts as half a failure. */
export const SLOW_MS = 5_000;
/** Sends of the last minutes that say whether a receiver is half broken: so many, of so many ms, at least so many. */
export const QUALITY_SENDS = 20;
export const QUALITY_MS = 5 * 60_000;
export const QUALITY_MIN_SENDS = 6;
/** Share of trouble from which on it is half broken (every second try fails, or every answer is late), … */
export const HALF_BROKEN = 0.4;
/** … and below which it is well again. */
export const WELL = 0.2;
/** Items of the batch by which an open circuit is tried. */
export const PROBE_ITEMS = 10;

/** Failed tries of a batch after which it is tried in halves: one item may be what the receiver stumbles over. */
export const HALVE_TRIES = 3;
/** Failed tries of an item alone, with others delivered in between, after which it is a dead letter. */
export const POISON_TRIES = 5;
/** Items refused in a row with none delivered between: then it is the destination, not the items. */
export const REFUSED_IN_ROW = 20;

/** ms that an item waits, once it was read, until a failover takes over although the destination is being tried; … */
export const FAILOVER_WAIT_MS = 60_000;
/** … and how far behind, ms, the destination may be when that ends. */
export const FAILBACK_LAG_MS = 10_000;
/** ms: a circuit that opens for a moment only moves nothing. */
export const FAILOVER_OPEN_MS = 5_000;

/**
 * An Ingester busier than this (events, bytes or appends a second, of what is too many for one) is in a burst: its
 * logs are read a page at a time, with pauses, …
 */
export const PRESSURE_USE = 0.15;
/** … ms, … */
export const PRESSURE_MS = 5_000;
/** … for so long, ms. A burst that goes on is no burst: then it is read as fast as it can be, until there is no more. */
export const POLITE_MS = 20_000;
/** ms until one whom an Ingester put off asks again. */
export const PUT_OFF_MS = 1_000;

/** Dead letters that are kept: as many and as many bytes; older ones go, and are counted. */
export const DEAD_LETTERS = 10_000;
export const DEAD_LETTER_BYTES = 64 << 20;
/** Characters of one dead letter: its invocation's other events are left out first. */
export const DEAD_LETTER_CHARS = 256 << 10;
/** ms that a replay may take; what is left can be replayed again. */
export const REPLAY_MS = 25_000;

/** Minutes that the page draws. */
export const HEALTH_MINUTES = 60;
/** Characters of a failure's message that are kept. */
export const MESSAGE_CHARS = 500;
/** ms between two writes of a health whose condition changed. */
export const HEALTH_GAP_MS = 2_000;
/** ms until the next run after one that began nothing: no mistake of ours may become a loop of alarms. */
export const IDLE_RUN_MS = 1_000;
/** ms for D1 to answer with one row. */
export const ROW_MS = 10_000;
/** ms between looks at whether a failover is to take over, while something waits. */
export const FAILOVER_LOOK_MS = 5_000;
/** ms until the next try when our own database did not answer. */
export const STORE_RETRY_MS = 5_000;
