/**
 * Hashes of text for sets, samples and sketches: quick, well mixed, never of a
 * secret. `hash32` of values lies in D1 (`errors/issues/distinct.ts`), `hash53` on
 * the disk of Ingesters: another function would count the same values anew.
 */

/** MurmurHash3's 32-bit mixing over UTF-16 units (Appleby, public domain). Different seeds are as good as different functions. */
export function hash32(text: string, seed = 0x3c6ef372): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ Math.imul(text.charCodeAt(i), 0xcc9e2d51), 0x1b873593);
    h = (h << 13) | (h >>> 19);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** As many bits as a number takes. Two of a million texts are the same once in 18,000 times. */
export function hash53(text: string): number {
  return (hash32(`#${text}`) & 0x1fffff) * 2 ** 32 + hash32(text);
}
