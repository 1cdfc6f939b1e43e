/**
 * Paths of Cloudflare's API that Tailrace does not serve: what to do instead. Of
 * all that wrangler may ask, only `wrangler tail` is meant to come here. Pure.
 */
import { type Failure, fail } from "../errors.ts";

const SERVED = "Tailrace serves `wrangler tail <worker>` here and nothing else";
const BASE = "CLOUDFLARE_API_BASE_URL";

const ADVICE: readonly (readonly [path: RegExp, advice: string])[] = [
  [
    /^\/(memberships|accounts|accounts\/[^/]+|user(\/.*)?)$/,
    `There are no accounts or users here. Set CLOUDFLARE_ACCOUNT_ID to anything, and CLOUDFLARE_API_TOKEN to a token of Tailrace: then wrangler does not ask.`,
  ],
  [
    /^\/zones(\/.*)?$/,
    "Tailrace knows Workers by their names, not by their routes: `wrangler tail <worker>`, with the name of the Worker.",
  ],
  [
    /^\/accounts\/[^/]+\/pages\//,
    "Pages deployments are not observed. A Worker is: `wrangler tail <worker>`, with the name of the Worker.",
  ],
  [
    /^\/accounts\/[^/]+\/workers\//,
    `${SERVED}. To deploy, list or change Workers, unset ${BASE}, so that wrangler asks Cloudflare.`,
  ],
];

/** `path`: as asked, with /client/v4. */
export function unserved(path: string): Failure {
  const rest = path.slice("/client/v4".length);
  const advice = ADVICE.find(([pattern]) => pattern.test(rest))?.[1];
  return fail("not_found", advice ?? `${SERVED}. For anything else of Cloudflare's, unset ${BASE}.`);
}
