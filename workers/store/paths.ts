/**
 * Where things lie in the bucket. The layout is Hive's, which DuckDB,
 * ClickHouse, Spark and R2 SQL know: `script`, `date` and `hour` become columns
 * (FORMAT.md). Keys are made of what they hold, never of chance or the clock, so
 * that the same work done twice writes the same object.
 */

export const EVENTS_PREFIX = "events/";

/** R2 keys have 1,024 bytes. Worker names have 63 characters; this is for the odd name from elsewhere. */
const MAX_SCRIPT_CHARS = 300;

const HOUR_MS = 3_600_000;

/** `events/script=…/date=YYYY-MM-DD/hour=HH/`, for a time in µs (UTC). */
export function hourPrefix(script: string, time: number): string {
  const iso = new Date(Math.floor(time / 1000 / HOUR_MS) * HOUR_MS).toISOString();
  const at = iso.indexOf("T");
  return `${EVENTS_PREFIX}script=${pathValue(script)}/date=${iso.slice(0, at)}/hour=${iso.slice(at + 1, at + 3)}/`;
}

/** A segment sealed by the Ingester `shardId` from its log entries `firstId` to `lastId`. */
export function sealedKey(script: string, time: number, shardId: string, firstId: number, lastId: number): string {
  return `${hourPrefix(script, time)}${shardId}-${firstId}-${lastId}.parquet`;
}

/** A segment compacted from others; `inputs` is a digest of their keys. */
export function compactedKey(script: string, time: number, level: number, inputs: string): string {
  return `${hourPrefix(script, time)}c${level}-${inputs}.parquet`;
}

/** One path element. Long names end in a hash of the whole, so two of them stay apart. */
function pathValue(value: string): string {
  const encoded = encodeURIComponent(value.toWellFormed());
  if (encoded.length <= MAX_SCRIPT_CHARS) return encoded;
  const cut = encoded.slice(0, MAX_SCRIPT_CHARS).replace(/%[0-9A-F]?$/, "");
  return `${cut}~${digest([value])}`;
}

/** 106 bits of two independent FNV-like hashes, hex: enough to tell keys apart, not meant to keep secrets. */
export function digest(parts: readonly string[]): string {
  return hash53(parts, 0) + hash53(parts, 0x9e3779b9);
}

/** cyrb53 (public domain, github.com/bryc): 53 bits, two multiplications a character. */
function hash53(parts: readonly string[], seed: number): string {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (const part of parts) {
    for (let i = 0; i <= part.length; i++) {
      // The end of a part counts as a character, so that ["ab"] and ["a","b"] differ.
      const c = i < part.length ? part.charCodeAt(i) : 0x10000;
      a = Math.imul(a ^ c, 2654435761);
      b = Math.imul(b ^ c, 1597334677);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(16).padStart(14, "0");
}
