/**
 * What Cloudflare's API says when it says no, as a tagged value in plain words
 * with what to do. `request.ts` hands in status, codes and messages.
 */
import type { ApiFailure, ApiFailureKind } from "./contract.ts";

export interface CloudflareError {
  code: number;
  message: string;
}

/** Of Cloudflare's own text; it goes to logs, records and screens. */
const MAX_SAID = 300;

/**
 * Codes that say more than their status. From wrangler's and cloudflare-typescript's
 * sources and their issues: 10000, 10001, 9103, 9106, 9109, 1000, 6003 and 6111 are the
 * token's; 971 and 10429 throttle; 10002 and 10013 are Cloudflare's own "unknown error",
 * whatever status they come with; 10007 and 10090 know no such Worker; 10220: a secret changed;
 * 10215: a secret cannot, while the newest version is not what everyone has.
 */
const KIND_OF_CODE: Readonly<Record<number, ApiFailureKind>> = {
  1000: "unauthorized",
  6003: "unauthorized",
  6111: "unauthorized",
  9103: "unauthorized",
  9106: "unauthorized",
  9109: "unauthorized",
  10000: "unauthorized",
  10001: "unauthorized",
  971: "rate_limited",
  10429: "rate_limited",
  10002: "unavailable",
  10013: "unavailable",
  10007: "not_found",
  10090: "not_found",
};
const SECRET_CHANGED = 10_220;
const NOT_EVERYONES = 10_215;

/** @param said Cloudflare's own errors; the first is the reason */
export function refusal(status: number, said: readonly CloudflareError[], retryAfterMs: number | null): ApiFailure {
  const [first] = said;
  const kind = (first && KIND_OF_CODE[first.code]) ?? kindOf(status);
  const quoted = first === undefined ? `status ${status}` : `${cut(first.message)} [code ${first.code}]`;
  return failure(kind, status, explain(kind, first?.code, quoted, retryAfterMs), { code: first?.code, retryAfterMs });
}

export function failure(
  kind: ApiFailureKind,
  status: number,
  message: string,
  more: { code?: number | undefined; retryAfterMs?: number | null } = {},
): ApiFailure {
  const { code, retryAfterMs = null } = more;
  return { ok: false, kind, status, code: code ?? null, message, retryAfterMs, attempts: 1 };
}

function kindOf(status: number): ApiFailureKind {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404 || status === 410) return "not_found";
  if (status === 429) return "rate_limited";
  // 408 and 425 ask for another try; 200 with `success: false` and no known code is nothing to build on.
  if (status === 408 || status === 425 || status >= 500 || status < 400) return "unavailable";
  return "refused";
}

function explain(kind: ApiFailureKind, code: number | undefined, quoted: string, retryAfterMs: number | null): string {
  switch (kind) {
    case "unauthorized":
      return `Cloudflare does not accept the API token: ${quoted}. It needs the permission Workers Scripts: Edit on the connected account; make one at dash.cloudflare.com, My Profile, API Tokens, and connect it in Settings.`;
    case "not_found":
      return `Cloudflare does not have it: ${quoted}. Check the name of the Worker, the version, and that the connected account is the one it is in.`;
    case "rate_limited":
      return `Cloudflare's API is asked too often: ${quoted}. ${retryAfterMs === null ? "Its limit is 1,200 requests in five minutes per token." : `It asks to wait ${Math.ceil(retryAfterMs / 1_000)} s.`}`;
    case "refused":
      if (code === NOT_EVERYONES)
        return `Cloudflare changes secrets only while everyone has the newest version of the Worker: ${quoted}. End its gradual deployment, or deploy the newest version to everyone, and try again.`;
      return code === SECRET_CHANGED
        ? `Cloudflare refuses to go back to this version because a secret has changed since: ${quoted}. It can be forced; the version then runs with the present secrets.`
        : `Cloudflare refuses: ${quoted}.`;
    case "timeout":
    case "unavailable":
      return `Cloudflare's API cannot do it at present: ${quoted}. Tried again later by itself; cloudflarestatus.com says whether others have it too.`;
  }
}

const cut = (text: string) => (text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text).replace(/\.$/, "");
