/**
 * Credentials of others (Cloudflare's API, integrations), encrypted before they
 * are stored: AES-256-GCM through WebCrypto, under the Worker's secret
 * TAILRACE_SECRET_KEY. Whoever reads the database reads nothing; whoever moves a
 * sealed text to another place gets nothing out of it, because the purpose is
 * part of what is authenticated. `npm run deploy` and `npm start` make the key.
 *
 * Sealed: `v1.<key id>.<base64url of 96-bit IV, ciphertext, 128-bit tag>`
 * Key:    base64 of 32 bytes. Several, separated by commas: the first seals, all open,
 *         so a key is changed by putting the new one in front; `rotate.ts` then seals
 *         anew what is stored, and the old key may go after that.
 */

export interface KeyEnv {
  TAILRACE_SECRET_KEY?: string;
}

export type SealFailure = {
  ok: false;
  /** `no_key`: none is set. `bad_key`: not base64 of 32 bytes. `other_key`: sealed under one that is not here. `damaged`: not a sealed text of this purpose. */
  code: "no_key" | "bad_key" | "other_key" | "damaged" | "too_long";
  /** What to do; names no secret. */
  message: string;
};
export type Sealed = { ok: true; sealed: string } | SealFailure;
export type Opened = { ok: true; text: string } | SealFailure;

/** Credentials are short; a service account's JSON key has some 2.5 KB. */
const MAX_TEXT_BYTES = 64 << 10;
const VERSION = "v1";
const KEY_BYTES = 32;
/** NIST SP 800-38D, 8.2.2: random 96-bit IVs are good for 2^32 texts under one key. */
const IV_BYTES = 12;
const TAG_BITS = 128;
/** Enough to tell the few keys of one Worker apart; says nothing about 256 random bits. */
const KEY_ID_BYTES = 4;
/** While one key replaces another there are two. */
const MAX_KEYS = 8;

interface Key {
  id: string;
  key: CryptoKey;
}

/** @param purpose what for and whose, as `cloudflare-token:<account id>`: needed again to open it */
export async function seal(env: KeyEnv, purpose: string, text: string): Promise<Sealed> {
  const keys = await keysOf(env);
  if (!keys.ok) return keys;
  const [{ id, key }] = keys.keys as [Key, ...Key[]];
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_TEXT_BYTES) return failed("too_long", `A credential has at most ${MAX_TEXT_BYTES} bytes.`);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const encrypted = new Uint8Array(await crypto.subtle.encrypt(parameters(iv, purpose), key, bytes));
  return { ok: true, sealed: `${VERSION}.${id}.${toBase64Url(iv)}${toBase64Url(encrypted)}` };
}

export async function open(env: KeyEnv, purpose: string, sealed: string): Promise<Opened> {
  const keys = await keysOf(env);
  if (!keys.ok) return keys;
  const [version, id, body, ...rest] = sealed.split(".");
  const bytes = version === VERSION && rest.length === 0 ? fromBase64(body ?? "") : undefined;
  if (bytes === undefined) return DAMAGED;
  const found = keys.keys.find((key) => key.id === id);
  if (found === undefined)
    return failed(
      "other_key",
      "It was encrypted under another TAILRACE_SECRET_KEY. Enter the credential again, or set the key it was encrypted under beside the present one: <new>,<old>.",
    );
  try {
    const iv = bytes.subarray(0, IV_BYTES);
    const plain = await crypto.subtle.decrypt(parameters(iv, purpose), found.key, bytes.subarray(IV_BYTES));
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain) };
  } catch {
    // Wrong tag, too short, or not text: WebCrypto does not say which, and nobody needs to know.
    return DAMAGED;
  }
}

/** Ids of the keys that are set; the first seals. */
export async function keyIds(env: KeyEnv): Promise<{ ok: true; ids: string[] } | SealFailure> {
  const keys = await keysOf(env);
  return keys.ok ? { ok: true, ids: keys.keys.map(({ id }) => id) } : keys;
}

/** Under which key it was sealed; "" where it is no sealed text. */
export function keyIdOf(sealed: string): string {
  const [version, id = ""] = sealed.split(".");
  return version === VERSION ? id : "";
}

/** Importing costs an asynchronous call each; the secret does not change while an isolate lives. */
let imported: { text: string; keys: Key[] } | undefined;

async function keysOf(env: KeyEnv): Promise<{ ok: true; keys: Key[] } | SealFailure> {
  const text = env.TAILRACE_SECRET_KEY?.trim() ?? "";
  if (text === "")
    return failed(
      "no_key",
      "The Worker has no TAILRACE_SECRET_KEY, under which credentials are encrypted. npm run deploy sets one, or: openssl rand -base64 32 | npx wrangler secret put TAILRACE_SECRET_KEY",
    );
  const raw = text.split(",").map((one) => fromBase64(one.trim()));
  if (raw.length > MAX_KEYS || raw.some((bytes) => bytes?.length !== KEY_BYTES))
    return failed(
      "bad_key",
      "TAILRACE_SECRET_KEY is not base64 of 32 bytes (several separated by commas). Make one: openssl rand -base64 32 | npx wrangler secret put TAILRACE_SECRET_KEY",
    );
  // The keys are kept, not a promise of them: a request that is cancelled would leave it open for all others.
  if (imported?.text !== text) imported = { text, keys: await Promise.all((raw as Bytes[]).map(importKey)) };
  return { ok: true, keys: imported.keys };
}

type Bytes = Uint8Array<ArrayBuffer>;

async function importKey(raw: Bytes): Promise<Key> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { id: toBase64Url(digest.subarray(0, KEY_ID_BYTES)), key };
}

const parameters = (iv: Bytes, purpose: string) => ({
  name: "AES-GCM",
  iv,
  tagLength: TAG_BITS,
  additionalData: new TextEncoder().encode(`tailrace:${VERSION}:${purpose}`),
});

/** Of 12 bytes it is 16 characters without padding, so that two may stand one after the other. */
const toBase64Url = (bytes: Uint8Array) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** Both alphabets; undefined where it is not base64. */
function fromBase64(text: string): Bytes | undefined {
  if (!/^[\w+/-]+={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

const failed = (code: SealFailure["code"], message: string): SealFailure => ({ ok: false, code, message });
const DAMAGED = failed(
  "damaged",
  "The stored credential cannot be decrypted: it was sealed for something else, or changed since. Enter it again.",
);
