/**
 * Takes secrets out of texts that people or stores will see: what a receiver
 * echoed, what the runtime said of a request. `request.ts` uses it on every answer,
 * the Courier on what it writes down. A secret is found as it is, URL-encoded, in
 * JSON, in HTML, and in base64 at any of the three alignments (so also inside
 * `Basic base64(user:key)`); of a URL or DSN, its secret parts are found too. Pure.
 */

const MASK = "[secret]";
/** Shorter ones are in every second word: masking them hides what happened, and they protect nothing. */
const MIN_SECRET_CHARS = 4;
/** Of a URL's parts: path segments, values of the query. Shorter ones are words and numbers. */
const MIN_PART_CHARS = 8;
/** Longer secrets are looked for by their beginning, and then cut to the end of the word. */
const MAX_NEEDLE_CHARS = 4_096;

export type Masker = (text: string) => string;

export function masker(secrets: readonly string[]): Masker {
  const pattern = patternOf(secrets);
  return pattern === undefined ? (text) => text : (text) => text.replace(pattern, MASK);
}

/** The same over bytes, which keep their length: lengths in front of texts (protobuf) stay right. */
export function byteMasker(secrets: readonly string[]): (bytes: Uint8Array) => Uint8Array {
  const pattern = patternOf(secrets.map(asBytes));
  if (pattern === undefined) return (bytes) => bytes;
  return (bytes) => {
    const text = latin1(bytes);
    const masked = text.replace(pattern, (found) => "*".repeat(found.length));
    return masked === text ? bytes : Uint8Array.from(masked, (char) => char.charCodeAt(0));
  };
}

/** All spellings at once, the longest first, so that no part of one is left beside its mask. */
function patternOf(secrets: readonly string[]): RegExp | undefined {
  const parts = secrets.flatMap(partsOf);
  const plain = new Set(parts.flatMap(spellings).filter((needle) => needle.length >= MIN_SECRET_CHARS));
  const base64 = new Set(parts.flatMap(base64Spellings));
  if (plain.size + base64.size === 0) return undefined;
  const patterns = [
    ...[...plain].map((text) => ({ text, pattern: escapeForPattern(text) })),
    // The character after it holds bits of its last byte, too.
    ...[...base64].map((text) => ({ text, pattern: `${escapeForPattern(text)}[A-Za-z0-9+/_-]?={0,2}` })),
  ];
  return new RegExp(
    patterns
      .sort((a, b) => b.text.length - a.text.length)
      .map(({ pattern }) => pattern)
      .join("|"),
    "g",
  );
}

function partsOf(secret: string): string[] {
  const trimmed = secret.trim();
  const parts =
    trimmed.length >= MIN_SECRET_CHARS ? [secret.slice(0, MAX_NEEDLE_CHARS), trimmed.slice(0, MAX_NEEDLE_CHARS)] : [];
  // `Bearer abc`, `x-api-key=abc,other=def`: headers as people write them.
  for (const word of trimmed.split(/[\s,;=]+/)) if (word !== trimmed && word.length >= MIN_PART_CHARS) parts.push(word);
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (url === undefined || !/^[a-z]+:\/\//i.test(trimmed)) return parts;
  const inside = [...url.pathname.split("/"), ...url.searchParams.values()].filter(looksSecret);
  return [...parts, ...[url.username, url.password, ...inside].filter((part) => part.length >= MIN_SECRET_CHARS)];
}

/** A path's words (`services`, `webhooks`) say nothing; what has digits or capitals may. */
const looksSecret = (part: string) => part.length >= MIN_PART_CHARS && /[0-9A-Z]/.test(part);

function spellings(secret: string): string[] {
  return [secret, ...urlSpellings(secret), ...jsonSpellings(secret), htmlSpelling(secret)];
}

/** As JavaScript writes JSON; PHP, which escapes slashes; Go and Gson, which escape what HTML might take amiss; and Python, for which all is ASCII. */
function jsonSpellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const escaped = (characters: RegExp) =>
    json.replace(characters, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [json, json.replaceAll("/", "\\/"), escaped(/[&<>]/g), escaped(/[&<>=']/g), escaped(/[^\0-\x7f]/g)];
}

const HTML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const htmlSpelling = (secret: string) => secret.replace(/[&<>"']/g, (char) => HTML[char] ?? char);

function urlSpellings(secret: string): string[] {
  const percent = encodeURIComponent(secret.toWellFormed());
  const form = new URLSearchParams([["", secret]]).toString().slice(1);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [percent, form, encodeURI(secret.toWellFormed()), lower(percent), lower(form)];
}

/**
 * Three bytes are four characters, so what stands before a secret shifts it by 0, 1
 * or 2 bytes; characters that its neighbours have a part in are left out.
 */
function base64Spellings(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const spelled = [0, 1, 2].map((shift) => {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const from = shift === 0 ? 0 : shift + 1;
    return toBase64(shifted).slice(from, Math.floor((shifted.length * 8) / 6));
  });
  // Short ones would be found by chance.
  const long = spelled.filter((text) => text.length >= MIN_PART_CHARS);
  return [...long, ...long.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

const toBase64 = (bytes: Uint8Array) => btoa(latin1(bytes));
const asBytes = (text: string) => latin1(new TextEncoder().encode(text));

function latin1(bytes: Uint8Array): string {
  let text = "";
  // Arguments of one call are bounded by the stack.
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return text;
}

const escapeForPattern = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
