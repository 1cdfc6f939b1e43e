/** What a guard, or Cloudflare, says no with → what the API answers. Exhaustive where the codes are. */
import type { ApiFailure, ApiFailureKind } from "../../cloudflare/contract.ts";
import type { GuardFailure, GuardFailureCode } from "../../rollouts/contract.ts";
import { type Failure, type FailureTag, fail } from "../errors.ts";

const TAGS: Record<GuardFailureCode, FailureTag> = {
  not_connected: "not_connected",
  rollout_running: "rollout_running",
  preflight_failed: "preflight_failed",
  not_found: "not_found",
  ended: "ended",
  bad_request: "bad_request",
  cloudflare: "cloudflare",
};

/** @param rollout the one that stands in the way of a start */
export function guardFailure({ code, message, preflight }: GuardFailure, rollout?: string | null): Failure {
  const tag = TAGS[code];
  if (preflight !== undefined) return fail(tag, message, { details: preflight });
  return fail(tag, message, rollout ? { details: { rollout } } : {});
}

/** Seconds after which asking Cloudflare again may help, where it does not say. */
const RETRY_AFTER_S = 5;

const CLOUDFLARE_TAGS = {
  unauthorized: "cloudflare",
  not_found: "not_found",
  refused: "cloudflare",
  rate_limited: "unavailable",
  unavailable: "unavailable",
  timeout: "unavailable",
} as const satisfies Record<ApiFailureKind, FailureTag>;

export function cloudflareFailure({ kind, message, retryAfterMs }: ApiFailure): Failure {
  const tag = CLOUDFLARE_TAGS[kind];
  if (tag !== "unavailable") return fail(tag, message);
  const retryAfterS = retryAfterMs === null ? RETRY_AFTER_S : Math.ceil(retryAfterMs / 1000);
  return fail(tag, message, { retryAfterS });
}
