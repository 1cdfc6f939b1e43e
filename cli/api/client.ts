/**
 * Tailrace's HTTP API for the commands: JSON and bytes, a bearer token, tries
 * again what may pass. Every call may be repeated by design of the API. Throws
 * `CliFailure` with what to do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Server } from "../options.ts";
import { isWorthRetrying, readRetryAfter, waitBefore } from "./back-off.ts";
import { failureOf, headersOf } from "./failures.ts";

/** A part of 8 MiB over a slow line; the last part of a large map also waits for its hash to be proven. */
const REQUEST_TIMEOUT_MS = 180_000;
const JSON_TYPE = "application/json";

export interface ClientOptions extends Server {
  userAgent: string;
  /** That the token should have; `deploy` if nothing is said. */
  scope?: string;
  /** Told before each new try. */
  onRetry?: (what: string, waitMs: number) => void;
  /** For tests: waits, and the dice. */
  wait?: (ms: number) => Promise<unknown>;
  random?: () => number;
}

export interface CallOptions {
  json?: unknown;
  bytes?: Uint8Array;
  /** Of tries; 1 for a question that is not worth waiting for. */
  tries?: number;
  timeoutMs?: number;
  /** Of what is not JSON: the answer is its text. */
  accept?: string;
  /** Nobody waits for the answer any longer. */
  signal?: AbortSignal;
}

/** No answer at all. */
export class Unreachable extends CliFailure {}

type Try<T> =
  | { tag: "done"; value: T }
  | { tag: "again"; why: string; failure: CliFailure; retryAfterMs: number | undefined };

export class ApiClient {
  readonly #options: ClientOptions;
  readonly #origin: string;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#origin = checkUrl(options.url);
  }

  get url(): string {
    return this.#origin;
  }

  async call<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, options: CallOptions = {}): Promise<T> {
    const { wait = sleep, random = Math.random, onRetry } = this.#options;
    for (let tried = 1; ; tried++) {
      const result = await this.#try<T>(method, path, options);
      if (result.tag === "done") return result.value;
      const waitMs = waitBefore(tried, random(), result.retryAfterMs);
      if (waitMs === undefined || tried >= (options.tries ?? Number.POSITIVE_INFINITY)) throw result.failure;
      onRetry?.(result.why, waitMs);
      await wait(waitMs);
    }
  }

  async #try<T>(method: string, path: string, options: CallOptions): Promise<Try<T>> {
    const { json, bytes, timeoutMs = REQUEST_TIMEOUT_MS, accept = JSON_TYPE, signal } = options;
    const { scope = "deploy", userAgent } = this.#options;
    const headers = { ...headersOf(this.#options, userAgent), accept } as Record<string, string>;
    const timeout = AbortSignal.timeout(timeoutMs);
    const until = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    const init: RequestInit = { method, headers, redirect: "manual", signal: until };
    if (json !== undefined) {
      headers["content-type"] = JSON_TYPE;
      init.body = JSON.stringify(json);
    } else if (bytes !== undefined) {
      headers["content-type"] = "application/octet-stream";
      init.body = bytes as Uint8Array<ArrayBuffer>;
    }
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#origin + path, init);
      text = await response.text();
    } catch (error) {
      const why = networkReason(error, timeoutMs);
      const message = `${this.#origin} cannot be reached: ${why}. Is TAILRACE_URL right, and is Tailrace running?`;
      return { tag: "again", why, failure: new Unreachable(message), retryAfterMs: undefined };
    }
    if (response.ok)
      return { tag: "done", value: accept === JSON_TYPE ? parseAnswer<T>(text, this.#origin) : (text as T) };
    const location = response.headers.get("location") ?? undefined;
    const failure = failureOf({ status: response.status, location }, text, this.#origin, scope);
    if (!isWorthRetrying(response.status)) throw failure;
    const retryAfterMs = readRetryAfter(response.headers.get("retry-after"), Date.now());
    return { tag: "again", why: `${response.status} ${failure.code}`, failure, retryAfterMs };
  }
}

/** @returns the address without what follows its path */
export function checkUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw usageFailure(
      `TAILRACE_URL must be the address of your Tailrace, like https://tailrace.example.workers.dev, not "${url}"`,
    );
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    throw usageFailure(`TAILRACE_URL must begin with https:// or http://, not "${parsed.protocol}//"`);
  return (parsed.origin + parsed.pathname).replace(/\/+$/, "");
}

function parseAnswer<T>(text: string, origin: string): T {
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new CliFailure(
      `${origin} answered with something that is not JSON. Is TAILRACE_URL the address of Tailrace?`,
    );
  }
}

function networkReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  // undici hides what happened in the cause.
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
