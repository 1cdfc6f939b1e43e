/**
 * Tailrace's HTTP API for the commands: JSON and bytes, a bearer token, tries
 * again what may pass. Every call may be repeated by design of the API. Throws
 * `CliFailure` with what to do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiError } from "../../workers/api/contract.ts";
import type { Server } from "../arguments.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { isWorthRetrying, readRetryAfter, waitBefore } from "./back-off.ts";

/** A part of 8 MiB over a slow line; the last part of a large map also waits for its hash to be proven. */
const REQUEST_TIMEOUT_MS = 180_000;

export interface ClientOptions extends Server {
  userAgent: string;
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
}

/** An answer of the API that says no. */
export class ApiFailure extends CliFailure {
  readonly status: number;
  readonly code: string;
  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
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
    const { json, bytes, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.#options.token}`,
      accept: "application/json",
      "user-agent": this.#options.userAgent,
    };
    const { access } = this.#options;
    if (access !== undefined) {
      headers["cf-access-client-id"] = access.id;
      headers["cf-access-client-secret"] = access.secret;
    }
    const init: RequestInit = { method, headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) };
    if (json !== undefined) {
      headers["content-type"] = "application/json";
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
    if (response.ok) return { tag: "done", value: parseAnswer<T>(text, this.#origin) };
    const failure = failureOf(response, text, this.#origin);
    if (!isWorthRetrying(response.status)) throw failure;
    const retryAfterMs = readRetryAfter(response.headers.get("retry-after"), Date.now());
    return { tag: "again", why: `${response.status} ${failure.code}`, failure, retryAfterMs };
  }
}

function checkUrl(url: string): string {
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

function failureOf(response: Response, text: string, origin: string): ApiFailure {
  const { status } = response;
  if (status >= 300 && status < 400) {
    const to = response.headers.get("location") ?? "elsewhere";
    const access = /cloudflareaccess\.com/.test(to)
      ? "Cloudflare Access stands in front of it: set CLOUDFLARE_ACCESS_CLIENT_ID and CLOUDFLARE_ACCESS_CLIENT_SECRET to a service token."
      : "Set TAILRACE_URL to the address that it leads to, if that is your Tailrace.";
    return new ApiFailure(`${origin} leads to ${to.split("?")[0]}. ${access}`, status, "redirect");
  }
  const error = readError(text);
  const said = error?.message ?? `HTTP ${status}`;
  if (status === 401)
    return new ApiFailure(
      `${origin} does not know the token (401): ${said} Make one with the scope deploy in Settings, and put it into TAILRACE_TOKEN.`,
      status,
      "unauthorized",
    );
  if (status === 403) return new ApiFailure(`The token may not do this (403): ${said}`, status, "forbidden");
  if (status === 404 && error === undefined)
    return new ApiFailure(
      `${origin} has no such route (404). Is TAILRACE_URL the address of Tailrace?`,
      status,
      "not_found",
    );
  return new ApiFailure(
    `${origin} answered ${status}: ${said}${problemsOf(error)}`,
    status,
    error?.code ?? String(status),
  );
}

function readError(text: string): ApiError["error"] | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ApiError>;
    return typeof error?.message === "string" && typeof error.code === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Which field of a request did not fit. */
function problemsOf(error: ApiError["error"] | undefined): string {
  return error?.details === undefined ? "" : ` ${JSON.stringify(error.details).slice(0, 500)}`;
}

function networkReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  // undici hides what happened in the cause.
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
