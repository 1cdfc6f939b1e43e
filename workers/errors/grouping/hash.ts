/**
 * 96 bits of MurmurHash3_x86_128 (Appleby, public domain) over UTF-16 units, two
 * to a word, as 24 hex digits. Synchronous and fast: a key is made for every new
 * error on the ingest path. At a million keys two of them meet by chance with
 * probability 10^-17. Not for secrets: who can write errors can make them meet,
 * and gains no more than by repeating one.
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

export function hash96(text: string): string {
  let h1 = 0x7461696c;
  let h2 = 0x72616365;
  let h3 = 0x6b657973;
  let h4 = 0x00000001;
  const length = text.length;
  for (let i = 0; i < length; i += 8) {
    const k1 = word(text, i);
    const k2 = word(text, i + 2);
    const k3 = word(text, i + 4);
    const k4 = word(text, i + 6);
    h1 ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = mix((h2 + h1) | 0);
  h3 = mix((h3 + h1) | 0);
  h4 = mix((h4 + h1) | 0);
  h1 = mix(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return hex(h1) + hex((h2 + h1) | 0) + hex((h3 + h1) | 0);
}

/** Units past the end count as 0: the length tells texts apart that end in zeros. */
function word(text: string, at: number): number {
  if (at + 1 < text.length) return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
  return at < text.length ? text.charCodeAt(at) : 0;
}

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const hex = (h: number): string => (h >>> 0).toString(16).padStart(8, "0");
