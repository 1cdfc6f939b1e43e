/**
 * One call of Cloudflare's API over HTTP: envelope in, ApiResult out. Bounded in
 * time, bytes and tries, and nothing that comes out holds the token, whatever the
 * peer sends back. `client.ts` says what to ask for and in which shape.
 */
import * as v from "valibot";
import { retryAfterMs } from "../util/retry-after.ts";
import { readText } from "./body.ts";
import type { ApiFailure, ApiResult } from "./contract.ts";
import { type CloudflareError, failure, refusal } from "./failure.ts";
import { waitBefore } from "./retry.ts";

/** Cloudflare answers within a second or two; a deployment within five. The whole answer must be here by then. */
export const TIMEOUT_MS = 10_000;

export interface Account {
  /** As https://api.cloudflare.com/client/v4. */
  baseUrl: string;
  accountId: string;
  token: string;
  fetch?: typeof fetch;
  wait?: (ms: number) => Promise<void>;
  now?: () => number;
  /** 0 to 1. */
  random?: () => number;
  timeoutMs?: number;
}

export interface Ask<T> {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Parts of the path under /accounts/<id>, as they are. */
  path: readonly string[];
  query?: string;
  body?: unknown;
  result: v.GenericSchema<unknown, T>;
  /** Besides the token: what the body carries and no answer may repeat. */
  secret?: string;
}

export type Send = <T>(ask: Ask<T>) => Promise<ApiResult<T>>;

const envelope = v.object({
  success: v.boolean(),
  errors: v.nullish(v.array(v.looseObject({ code: v.nullish(v.number()), message: v.nullish(v.string()) })), []),
  result: v.optional(v.unknown()),
});

/** Reads are tried again, writes never: nobody knows whether a write that failed was done. */
export function sender(account: Account): Send {
  const { wait = sleep, random = Math.random } = account;
  return async (ask) => {
    const odd = ask.path.find((part) => !canBePart(part));
    if (odd !== undefined) return failure("not_found", 0, `Cloudflare has nothing of the name ${JSON.stringify(odd)}.`);
    for (let tries = 1; ; tries++) {
      const result = { ...(await once(account, ask)), attempts: tries };
      if (result.ok || ask.method !== "GET") return result;
      const ms = waitBefore(tries, result, random());
      if (ms === null) return result;
      await wait(ms);
    }
  };
}

/** `.` and `..` cannot be encoded: every URL parser walks the path with them, and the token goes to another place of the API. */
const canBePart = (part: string) => part !== "" && part !== "." && part !== ".." && part.isWellFormed();

async function once<T>(account: Account, ask: Ask<T>): Promise<ApiResult<T>> {
  const { timeoutMs = TIMEOUT_MS, now = Date.now } = account;
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string | null;
  try {
    response = await exchange(account, ask, signal);
    text = await readText(response);
  } catch (error) {
    return signal.aborted ? timedOut(timeoutMs) : notConnected(error, account.token);
  }
  // A peer may echo what it was sent; from here on, no text holds the token.
  return answer(response, text === null ? null : masked(text, account.token, ask.secret), ask, now());
}

function masked(text: string, token: string, secret = ""): string {
  const plain = text.replaceAll(token, "[token]");
  return secret === "" ? plain : plain.replaceAll(secret, "[secret]");
}

function exchange({ baseUrl, accountId, token, fetch: send = fetch }: Account, ask: Ask<unknown>, signal: AbortSignal) {
  const path = ["accounts", accountId, ...ask.path].map(encodeURIComponent).join("/");
  const url = `${baseUrl.replace(/\/+$/, "")}/${path}${ask.query ?? ""}`;
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: "application/json" };
  if (ask.body !== undefined) headers["content-type"] = "application/json";
  const body = ask.body === undefined ? null : JSON.stringify(ask.body);
  // Whoever redirects must not be handed the token.
  return send(url, { method: ask.method, headers, body, signal, redirect: "manual" });
}

function answer<T>(response: Response, text: string | null, ask: Ask<T>, now: number): ApiResult<T> {
  const { status } = response;
  if (status >= 300 && status < 400) return redirected(status);
  const after = retryAfterMs(response.headers.get("retry-after"), now);
  const read = v.safeParse(envelope, parse(text));
  // A proxy's 404 does not say that a version is gone, nor its 403 that the token is bad.
  if (!read.success) return status === 429 ? refusal(status, [], after) : notAnEnvelope(status, text, after);
  const { success, errors, result } = read.output;
  if (!success || status >= 400) return refusal(status, errors.map(asError), after);
  const value = v.safeParse(ask.result, result);
  return value.success ? { ok: true, value: value.output, attempts: 1 } : wrongShape(status, value.issues[0]);
}

const asError = ({ code, message }: { code?: number | null; message?: string | null }): CloudflareError => ({
  code: code ?? 0,
  message: message ?? "",
});

function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const timedOut = (ms: number): ApiFailure =>
  failure("timeout", 0, `Cloudflare's API did not answer within ${ms / 1_000} s.`);

function notConnected(error: unknown, token: string): ApiFailure {
  const said = (error instanceof Error ? error.message : String(error)).replaceAll(token, "[token]").slice(0, 200);
  return failure("unavailable", 0, `No connection to Cloudflare's API: ${said}`);
}

const redirected = (status: number): ApiFailure =>
  failure(
    "unavailable",
    status,
    "Cloudflare's API answered with a redirect, which is not followed: the token would go along. Check CLOUDFLARE_API_BASE_URL.",
  );

const notAnEnvelope = (status: number, text: string | null, retryAfterMs: number | null): ApiFailure =>
  failure(
    "unavailable",
    status,
    text === null
      ? `Cloudflare's API sent more than can be read (status ${status}).`
      : `What answered (status ${status}) does not speak as Cloudflare's API does: it is down, or a proxy or a log-in page answers for it. Check CLOUDFLARE_API_BASE_URL if that stays so.`,
    { retryAfterMs },
  );

const wrongShape = (status: number, issue: v.BaseIssue<unknown>): ApiFailure =>
  failure(
    "unavailable",
    status,
    `Cloudflare's API answered in a shape that cannot be relied on (${v.getDotPath(issue) ?? issue.message}), so nothing is built on it.`,
  );

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
