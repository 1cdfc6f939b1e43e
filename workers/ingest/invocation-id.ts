/**
 * Ids of invocations: 128 random bits as 32 hex digits. Trace items carry none.
 * Random bytes are fetched many at a time: one call per id would cost more than
 * all the rest of an item's bookkeeping.
 */
const ID_BYTES = 16;
const IDS_PER_REFILL = 256;

const bytes = new Uint8Array(ID_BYTES * IDS_PER_REFILL);
let hex = "";
let next = 0;

export function newInvocationId(): string {
  if (next >= hex.length) {
    crypto.getRandomValues(bytes);
    hex = Buffer.from(bytes.buffer).toString("hex");
    next = 0;
  }
  next += ID_BYTES * 2;
  return hex.slice(next - ID_BYTES * 2, next);
}

const HEX_ID = /^[0-9a-f]{32}$/;

/** An item may bring its own id, so that a replay of an export keeps its links. */
export const isInvocationId = (value: unknown): value is string => typeof value === "string" && HEX_ID.test(value);
