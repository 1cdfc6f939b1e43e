/**
 * Names that lead to addresses which are not public (`10.0.0.1.nip.io`, a zone with
 * an A record of 127.0.0.1). The network decides in the end: Cloudflare's has no such
 * addresses, workerd's refuses them by default. Asking first gives a plain answer
 * in place of an odd one, and a second wall. It fails open: a resolver that is away
 * must not stop deliveries. docs/decisions/0028.
 */
import { resolve4, resolve6 } from "node:dns/promises";
import { within } from "../../util/within.ts";
import { kindOfAddress } from "./address.ts";
import { notPublic } from "./guard.ts";

/** @returns why it must not be asked; null when it may */
export type LookUp = (hostname: string) => Promise<string | null>;
/** Addresses of a name, v4 and v6; rejects when nobody knows. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** Longer than most records live, shorter than a person waits after mending one. */
const KNOWN_FOR_MS = 5 * 60_000;
/** A delivery waits for it, once per name and five minutes. */
const TIMEOUT_MS = 2_000;
/** One isolate sends to a few. */
const MAX_NAMES = 500;

export function createLookUp(resolve: Resolve = resolveByDns, now: () => number = Date.now): LookUp {
  const known = new Map<string, { problem: string | null; at: number }>();
  return async (hostname) => {
    const before = known.get(hostname);
    if (before !== undefined && Math.abs(now() - before.at) < KNOWN_FOR_MS) return before.problem;
    const addresses = await within(TIMEOUT_MS, undefined, resolve(hostname)).catch(() => []);
    const bad = addresses.find((address) => kindOfAddress(address) !== "public");
    const problem = bad === undefined ? null : `${hostname} leads to ${bad}. ${notPublic(bad)}`;
    if (known.size >= MAX_NAMES) known.clear();
    known.set(hostname, { problem, at: now() });
    return problem;
  };
}

/** In a Worker, node:dns asks Cloudflare's resolver over HTTPS. */
async function resolveByDns(hostname: string): Promise<string[]> {
  const [v4, v6] = await Promise.allSettled([resolve4(hostname), resolve6(hostname)]);
  return [v4, v6].flatMap((found) => (found.status === "fulfilled" ? found.value : []));
}
