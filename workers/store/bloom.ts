/**
 * A Bloom filter over strings, small enough to lie in the catalog: it says
 * "surely not in this segment" of an id without touching the bucket. Built by
 * `pruning.ts` at sealing, asked by the query planner.
 *
 * Double hashing after Kirsch and Mitzenmacher, "Less hashing, same
 * performance" (2006); the bit count is a power of two, so that filters of one
 * size could be united.
 */

/** Wire form: `k` hash functions, base64 of the bits. */
export interface WireBloom {
  k: number;
  bits: string;
}

/** Below this many bits per key a filter lets nearly everything through. */
export const MIN_BITS_PER_KEY = 3;
/** 1 % false positives; more is not worth its bytes. */
const MAX_BITS_PER_KEY = 10;
const MIN_BYTES = 64;

/** Undefined when `maxBytes` cannot hold a filter that is of use. */
export function buildBloom(keys: readonly string[], maxBytes: number): WireBloom | undefined {
  const wanted = Math.max(MIN_BYTES * 8, keys.length * MAX_BITS_PER_KEY);
  if (maxBytes < MIN_BYTES) return undefined;
  const bitCount = 2 ** Math.min(Math.ceil(Math.log2(wanted)), Math.floor(Math.log2(maxBytes * 8)));
  if (bitCount < keys.length * MIN_BITS_PER_KEY) return undefined;
  const k = Math.max(1, Math.min(7, Math.round((bitCount / Math.max(1, keys.length)) * Math.LN2)));
  const bytes = new Uint8Array(bitCount / 8);
  for (const key of keys) {
    const [first, step] = hash(key);
    for (let i = 0, at = first; i < k; i++, at = (at + step) >>> 0) {
      const bit = at & (bitCount - 1);
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }
  return { k, bits: toBase64(bytes) };
}

/** False only if `key` was surely not among the keys. A filter that cannot be read says true. */
export const bloomMayContain = (bloom: WireBloom, key: string): boolean => openBloom(bloom)(key);

/** The same for many keys: decoded once. */
export function openBloom(bloom: WireBloom): (key: string) => boolean {
  const bytes = bytesOf(bloom);
  const bitCount = bytes.length * 8;
  if (bitCount === 0 || (bitCount & (bitCount - 1)) !== 0) return () => true;
  return (key) => {
    const [first, step] = hash(key);
    for (let i = 0, at = first; i < bloom.k; i++, at = (at + step) >>> 0) {
      const bit = at & (bitCount - 1);
      if (((bytes[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  };
}

function bytesOf({ bits }: WireBloom): Uint8Array {
  try {
    return fromBase64(bits);
  } catch {
    return new Uint8Array();
  }
}

/** Two 32-bit hashes in one pass (FNV-1a over UTF-16 units, MurmurHash3 finalizers). The step is odd. */
function hash(key: string): [number, number] {
  let h = 0x811c9dc5;
  let g = 0x9747b28c;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    h = Math.imul(h ^ unit, 0x01000193);
    g = Math.imul(g ^ unit, 0x5bd1e995);
    g ^= g >>> 15;
  }
  return [finalize(h ^ key.length), (finalize(g) | 1) >>> 0];
}

function finalize(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
