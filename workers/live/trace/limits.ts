/** What bounds tails of `wrangler tail`: their filters, the tickets for their sockets, what is remembered of those that went. */

/** Filters of one tail; wrangler sends seven at most. */
export const MAX_FILTERS = 20;
/** Values in a list of one. */
export const MAX_VALUES = 50;
/** Of one value: a search text, a header. */
export const MAX_VALUE_CHARS = 1_024;
/** Of all filters as JSON: they lie in the socket's attachment, which takes 16 KB (two bytes a character at worst). */
export const MAX_FILTERS_CHARS = 4_096;

/** From the POST to its socket: wrangler opens it at once, over the same network. */
export const TICKET_MS = 60_000;
/** Tickets of a hub that wait for their socket … */
export const MAX_TICKETS = 500;
/** … and of one credential. */
export const MAX_TICKETS_EACH = 50;

/** Tails that a hub remembers: those that are open, and those that went a moment ago. */
export const MAX_TAILS = 2_000;
/** Of a departed tail's positions as JSON; with more shards than fit, it gets all that the ring has. */
export const MAX_CURSOR_CHARS = 32_768;
/** Where the open tails are is written down this often while something passes. */
export const NOTE_MS = 1_000;

/** A tail ends with what let it in; one that has no end of its own says so in a day, which nothing enforces. */
export const TAIL_SAID_MS = 24 * 3_600_000;
