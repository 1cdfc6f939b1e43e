/**
 * Signatures of Standard Webhooks 1.0, symmetric scheme `v1`:
 * HMAC-SHA256 of `id.timestamp.body` under the bytes behind `whsec_`, in base64.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const PREFIX = "whsec_";
/** The specification wants 24 to 64 bytes. */
export const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** Bytes of a secret; undefined when it is none. */
export function secretBytes(secret: string): Uint8Array<ArrayBuffer> | undefined {
  const text = secret.trim();
  if (!text.startsWith(PREFIX)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text.slice(PREFIX.length)), (c) => c.charCodeAt(0));
    return bytes.length >= MIN_SECRET_BYTES && bytes.length <= MAX_SECRET_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Value of the header `webhook-signature`: one for each secret, so that they can be changed while messages flow. */
export async function sign(
  secrets: readonly Uint8Array<ArrayBuffer>[],
  id: string,
  timestampS: number,
  body: string,
): Promise<string> {
  const content = new TextEncoder().encode(`${id}.${timestampS}.${body}`);
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
      return `v1,${btoa(String.fromCharCode(...bytes))}`;
    }),
  );
  return signatures.join(" ");
}
