/**
 * Ids of invocations: 32 hex digits, since trace items carry none. The first 12
 * are the item's time in ms (as in UUIDv7), so that ids of one segment look
 * alike and compress, and sort by time; the other 20 are random (80 bits).
 * Random bytes are fetched many at a time: one call per id would cost more than
 * all the rest of an item's bookkeeping.
 */
const RANDOM_BYTES = 10;
const RANDOM_DIGITS = RANDOM_BYTES * 2;
const TIME_DIGITS = 12;
const IDS_PER_REFILL = 256;

const bytes = new Uint8Array(RANDOM_BYTES * IDS_PER_REFILL);
let hex = "";
let next = 0;
let prefix = "";
let prefixMs = -1;

export function newInvocationId(timeMs: number): string {
  if (next >= hex.length) {
    crypto.getRandomValues(bytes);
    hex = Buffer.from(bytes.buffer).toString("hex");
    next = 0;
  }
  if (timeMs !== prefixMs) {
    prefixMs = timeMs;
    prefix = Math.floor(timeMs).toString(16).padStart(TIME_DIGITS, "0").slice(-TIME_DIGITS);
  }
  next += RANDOM_DIGITS;
  return prefix + hex.slice(next - RANDOM_DIGITS, next);
}

/** 64 of the random bits, as hex. */
export const randomPart = (id: string): string => id.slice(-16);

const HEX_ID = /^[0-9a-f]{32}$/;

/** An item may bring its own id, so that a replay of an export keeps its links. */
export const isInvocationId = (value: unknown): value is string => typeof value === "string" && HEX_ID.test(value);
