/** Whether a URL may be asked at all, before anything is sent. `request.ts` asks. Pure. */
import type { Failure } from "../../integrations/contract.ts";
import { kindOfHost } from "./address.ts";

/** Longer ones are cut by proxies, or are no address of anybody's. */
const MAX_URL_CHARS = 8_192;

export type Guarded = { ok: true; url: URL } | { ok: false; failure: Failure };

export function guardUrl(text: string, allowLoopback: boolean): Guarded {
  if (text.length > MAX_URL_CHARS) return blocked(`The URL is longer than ${MAX_URL_CHARS} characters.`);
  const url = URL.parse(text);
  // What was given is not repeated: it may hold a key.
  if (url === null) return blocked("This is not a URL. It looks like https://host/path.");
  const kind = kindOfHost(url.hostname);
  const isLocal = allowLoopback && kind === "loopback";
  if (url.protocol !== "https:" && !(isLocal && url.protocol === "http:"))
    return blocked(`Only https is sent to, not ${url.protocol.slice(0, 20)}`);
  if (url.username !== "" || url.password !== "")
    return blocked("Credentials do not belong in the URL (user:password@host): use the fields for them.");
  if (kind !== "public" && !isLocal) return blocked(notPublic(url.hostname));
  url.hash = "";
  return { ok: true, url };
}

export const notPublic = (host: string): string =>
  `${host} is not a public address. Tailrace sends to public hosts only; a collector in a private network needs a public name in front of it (Cloudflare Tunnel makes one).`;

export const blocked = (message: string): { ok: false; failure: Failure } => ({
  ok: false,
  failure: { kind: "blocked", message, status: 0 },
});
