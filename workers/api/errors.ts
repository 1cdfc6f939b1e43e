/**
 * Expected failures as tagged values, and the one place that turns them into
 * HTTP. A handler returns `fail(...)`; the message says what to do.
 */
import { DrizzleQueryError } from "drizzle-orm";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { DatabaseError } from "../db/batch.ts";
import { rootMessage } from "../util/error-message.ts";
import { failure as envelopeOf, isCloudflarePath } from "./cloudflare/envelope.ts";
import type { ApiError } from "./contract.ts";

const STATUS = {
  bad_request: 400,
  bad_query: 400,
  bad_rules: 400,
  unauthorized: 401,
  forbidden: 403,
  cross_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  /** Of an upload: a part of it is not there, or not any more. */
  incomplete: 409,
  /** Of rollouts: no Cloudflare account to act on; the Worker has one already; it is over. */
  not_connected: 409,
  rollout_running: 409,
  ended: 409,
  /** Of integrations and connected Workers: others lean on it; there are as many as there may be; somebody else was faster; Tailrace did not write it. */
  in_use: 409,
  limit_reached: 409,
  changed_meanwhile: 409,
  not_ours: 409,
  body_too_large: 413,
  unsupported_encoding: 415,
  query_too_large: 422,
  /** Of an integration: its details say which field, and what to do (`problems`). */
  bad_fields: 422,
  /** What a rollout would do must not be begun; its details say why. */
  preflight_failed: 422,
  /** Cloudflare does not accept the API token that is to be stored. */
  token_refused: 422,
  /** Cloudflare's API said no to us: to ask again changes nothing, so it is none of the 5xx. */
  cloudflare: 424,
  /** The same of a service whose credentials a resource is. */
  service: 424,
  upgrade_required: 426,
  too_many_requests: 429,
  /** The client has gone; nobody reads it (nginx's number). */
  cancelled: 499 as 400,
  overloaded: 429,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<string, ContentfulStatusCode>;

export type FailureTag = keyof typeof STATUS;

export interface Failure {
  tag: FailureTag;
  message: string;
  details?: unknown;
  /** Seconds, sent as Retry-After. */
  retryAfterS?: number | undefined;
  /** Under /client/v4, where Cloudflare has a number for exactly this. */
  cloudflareCode?: number;
}

export function fail(tag: FailureTag, message: string, more: Omit<Failure, "tag" | "message"> = {}): Failure {
  return { tag, message, ...more };
}

export function errorBody(failure: Failure): ApiError {
  const { tag: code, message, details } = failure;
  return { error: details === undefined ? { code, message } : { code, message, details } };
}

export function sendFailure(c: Context, failure: Failure): Response {
  if (failure.retryAfterS !== undefined) c.header("Retry-After", String(failure.retryAfterS));
  // RFC 9110, 11.6.1: a 401 names the scheme that would do.
  if (failure.tag === "unauthorized") c.header("WWW-Authenticate", 'Bearer realm="tailrace"');
  // RFC 9110, 15.5.22: a 426 names the protocol that would do.
  if (failure.tag === "upgrade_required") c.header("Upgrade", "websocket");
  const body = isCloudflarePath(c.req.path) ? envelopeOf(failure) : errorBody(failure);
  return c.json(body, STATUS[failure.tag]);
}

/** Whatever looks like a credential is cut out of text that goes to a log. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/trl_[0-9A-Za-z]+/g, "trl_[redacted]")
    .replace(/\b(bearer|basic)\s+[^\s"']+/gi, "$1 [redacted]")
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[redacted jwt]")
    .replace(/(tailrace=)[^;\s"']+/g, "$1[redacted]");
}

/** An outage of D1, which is none of our bugs. Drizzle wraps single statements only; D1 marks its own errors. */
export function isDatabaseFailure(error: unknown): boolean {
  if (error instanceof DatabaseError || error instanceof DrizzleQueryError) return true;
  return rootMessage(error).startsWith("D1_");
}

/** One line of JSON per failure; no query string, no headers, no body: they may hold what is not ours to log. */
export function logFailure(c: Context, error: unknown): void {
  const { name, stack = "" } = error instanceof Error ? error : new Error(String(error));
  // Without the stack's first lines, which repeat the message.
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const failed = { requestId: c.get("requestId"), method: c.req.method, path: c.req.path, error: name };
  console.error(withoutSecrets(JSON.stringify({ ...failed, message: rootMessage(error), stack: frames.slice(0, 20) })));
}
