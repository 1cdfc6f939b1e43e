/**
 * Ids of invocations: 32 hex digits, since trace items carry none. The first 16
 * are the item's time in ms, so that ids of one segment look alike and compress,
 * and sort by time; the other 16 are random. Of a million invocations in one
 * millisecond, two would share an id once in forty million times; 80 random
 * bits would make a segment 2 % larger.
 * Random bytes are fetched many at a time: one call per id would cost more than
 * all the rest of an item's bookkeeping.
 */
const RANDOM_BYTES = 8;
const RANDOM_DIGITS = RANDOM_BYTES * 2;
/** The last ones are made for each id, those before once a minute: long numbers are slow to write as hex. */
const HIGH_DIGITS = 12;
const LOW_RANGE = 16 ** 4;
const IDS_PER_REFILL = 256;

const bytes = new Uint8Array(RANDOM_BYTES * IDS_PER_REFILL);
let hex = "";
let next = 0;
let high = -1;
let highHex = "";

export function newInvocationId(timeMs: number): string {
  if (next >= hex.length) {
    crypto.getRandomValues(bytes);
    hex = Buffer.from(bytes.buffer).toString("hex");
    next = 0;
  }
  const ms = Math.floor(timeMs);
  const upper = Math.floor(ms / LOW_RANGE);
  if (upper !== high) {
    high = upper;
    highHex = upper.toString(16).padStart(HIGH_DIGITS, "0").slice(-HIGH_DIGITS);
  }
  // With a 1 before it, so that leading zeros stay.
  const lowHex = (LOW_RANGE + ms - upper * LOW_RANGE).toString(16).slice(1);
  next += RANDOM_DIGITS;
  return highHex + lowHex + hex.slice(next - RANDOM_DIGITS, next);
}

/** The 64 random bits, as hex. */
export const randomPart = (id: string): string => id.slice(-16);

const HEX_ID = /^[0-9a-f]{32}$/;

/** An item may bring its own id, so that a replay of an export keeps its links. */
export const isInvocationId = (value: unknown): value is string => typeof value === "string" && HEX_ID.test(value);
