/**
 * Answers of Cloudflare's API, whose clients (wrangler) come to us under
 * /client/v4: everything there is an envelope, also what goes wrong. Codes are
 * Cloudflare's where the same thing happens there; wrangler prints message and
 * code. `errors.ts` turns failures into these on such paths.
 */
import type { Failure, FailureTag } from "../errors.ts";

const ROOT = "/client/v4";

export const isCloudflarePath = (path: string): boolean => path === ROOT || path.startsWith(`${ROOT}/`);

/** No such Worker. */
export const UNKNOWN_WORKER = 10_007;

const AUTHENTICATION = 10_000;
const BAD_BODY = 10_001;
const NOT_HERE = 7_003;
const WRONG_METHOD = 7_001;
const TOO_MANY = 971;
const UNKNOWN_ERROR = 10_013;

const CODES: Record<FailureTag, number> = {
  unauthorized: AUTHENTICATION,
  forbidden: AUTHENTICATION,
  cross_origin: AUTHENTICATION,
  not_found: NOT_HERE,
  method_not_allowed: WRONG_METHOD,
  too_many_requests: TOO_MANY,
  overloaded: TOO_MANY,
  unavailable: UNKNOWN_ERROR,
  internal: UNKNOWN_ERROR,
  cloudflare: UNKNOWN_ERROR,
  cancelled: UNKNOWN_ERROR,
  bad_request: BAD_BODY,
  bad_query: BAD_BODY,
  bad_rules: BAD_BODY,
  incomplete: BAD_BODY,
  body_too_large: BAD_BODY,
  unsupported_encoding: BAD_BODY,
  query_too_large: BAD_BODY,
  upgrade_required: BAD_BODY,
  not_connected: BAD_BODY,
  rollout_running: BAD_BODY,
  preflight_failed: BAD_BODY,
  token_refused: BAD_BODY,
  ended: BAD_BODY,
  in_use: BAD_BODY,
  limit_reached: BAD_BODY,
  changed_meanwhile: BAD_BODY,
  not_ours: BAD_BODY,
  bad_fields: BAD_BODY,
  service: UNKNOWN_ERROR,
};

export const success = (result: unknown) => ({ success: true, errors: [], messages: [], result });

export function failure({ tag, message, cloudflareCode = CODES[tag] }: Failure) {
  const said = cloudflareCode === AUTHENTICATION ? `Authentication error: ${message}` : message;
  return { success: false, errors: [{ code: cloudflareCode, message: said }], messages: [], result: null };
}
