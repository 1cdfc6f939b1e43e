/**
 * Tokens and session ids: how they are made, hashed and compared. Both hold
 * 256 random bits, so a plain SHA-256 is enough: there is nothing to guess
 * that a slow password hash would protect.
 */
import { hash, timingSafeEqual } from "node:crypto";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 43 × log2(62) = 256.03 bits. */
const SECRET_CHARS = 43;
/** Not the whole of 0..255 is a multiple of 62: bytes above are drawn again, or some characters would be likelier. */
const UNBIASED = 256 - (256 % BASE62.length);
/** Longer credentials are refused unread: ours are 47 characters, a bootstrap secret is a line. */
export const MAX_CREDENTIAL_CHARS = 512;

export function randomBase62(chars: number): string {
  let text = "";
  while (text.length < chars) {
    for (const byte of crypto.getRandomValues(new Uint8Array(chars))) {
      if (byte < UNBIASED && text.length < chars) text += BASE62[byte % BASE62.length];
    }
  }
  return text;
}

/** The prefix lets secret scanners find a leaked one. */
export const newToken = () => `trl_${randomBase62(SECRET_CHARS)}`;
export const newTokenId = () => `tok_${randomBase62(12)}`;
export const newSessionId = () => randomBase62(SECRET_CHARS);

/** Whether it could be one of ours; anything else never reaches the database. */
export const looksLikeToken = (text: string) => /^trl_[0-9A-Za-z]{43}$/.test(text);
export const looksLikeSessionId = (text: string) => /^[0-9A-Za-z]{43}$/.test(text);

/** SHA-256, hex. One-shot: `createHash` makes a stream, several times as slow, and every request asks. */
export function hashOf(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** Compares two hashes of `hashOf` in constant time. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, "hex");
  const right = Buffer.from(b, "hex");
  return left.length === right.length && left.length > 0 && timingSafeEqual(left, right);
}
