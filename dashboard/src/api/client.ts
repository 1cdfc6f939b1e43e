/**
 * Typed fetch over the API's contract. Failures are thrown as `ApiFailure`
 * with the server's own words; a 401 anywhere sends the reader to the log-in
 * page and back again afterwards (state/session.ts).
 */
import type {
  ApiError,
  AuditAnswer,
  FieldsAnswer,
  FieldValuesAnswer,
  InvocationAnswer,
  OverviewAnswer,
  PlatformSettings,
  QueryAnswer,
  QueryLine,
  SessionAnswer,
  TokenCreated,
  TokenRequest,
  TokensAnswer,
  WorkerAnswer,
  WorkerSettings,
} from "../../../workers/api/contract.ts";

export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;
  /** Seconds, from Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, details?: unknown, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

let onUnauthorized: () => void = () => undefined;
export function whenUnauthorized(handler: () => void): void {
  onUnauthorized = handler;
}

/** What is undefined or empty is left out; null is asked for as the empty value. */
type Params = Record<string, string | number | null | undefined>;

function urlOf(path: string, params: Params): string {
  const search = new URLSearchParams();
  for (const key in params) {
    const value = params[key];
    if (value !== undefined && value !== "") search.set(key, value === null ? "" : String(value));
  }
  const text = search.toString();
  return `/api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const retry = Number(response.headers.get("Retry-After")) || undefined;
  let error: ApiError["error"] | undefined;
  try {
    error = ((await response.json()) as ApiError).error;
  } catch {
    // Not our JSON: a proxy in between, or the platform itself.
  }
  const message = error?.message ?? `The server answered ${response.status} ${response.statusText}`.trim();
  return new ApiFailure(response.status, error?.code ?? "http", message, error?.details, retry);
}

async function send(
  method: string,
  url: string,
  accept: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      signal,
      headers: { Accept: accept, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiFailure(0, "unreachable", "Tailrace does not answer. Check the connection, then try again.");
  }
  if (response.ok) return response;
  const failure = await failureOf(response);
  if (failure.status === 401 && !url.endsWith("/session")) onUnauthorized();
  throw failure;
}

export async function request<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, url, "application/json", body, signal);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function text(url: string, accept: string): Promise<string> {
  return (await send("GET", url, accept, undefined, undefined)).text();
}

/** Share of the segments that are read; 0 to 1. */
export type OnProgress = (share: number) => void;

/** The answer as lines: progress while the server reads, then the answer or what went wrong. */
async function requestLines(url: string, signal: AbortSignal, onProgress: OnProgress): Promise<QueryAnswer> {
  const response = await send("GET", url, "application/x-ndjson", undefined, signal);
  if (response.body === null) throw new Error("BUG: a query's answer has no body");
  const decoder = new TextDecoder();
  const chunks = response.body.getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await chunks.read();
    // The last line counts without its line feed, too.
    const lines = (rest + (done ? "\n" : decoder.decode(value, { stream: true }))).split("\n");
    rest = lines.pop() as string;
    for (const text of lines) {
      if (text.trim() === "") continue;
      const line = JSON.parse(text) as QueryLine;
      if ("answer" in line) return line.answer;
      if ("error" in line) throw new ApiFailure(500, line.error.code, line.error.message, line.error.details);
      onProgress(line.progress.total > 0 ? line.progress.done / line.progress.total : 0);
    }
    if (done) throw new ApiFailure(500, "cut_off", "The answer was cut off on its way. Try again.");
  }
}

export const get = <T>(path: string, params: Params, signal?: AbortSignal) =>
  request<T>("GET", urlOf(path, params), undefined, signal);
export const part = encodeURIComponent;

/** What the range endpoints take; see the contract for the forms of time. */
export interface Range {
  from: string | number;
  to: string | number;
}

export const api = {
  session: () => get<SessionAnswer>("session", {}),
  logIn: (token: string) => request<SessionAnswer>("POST", "/api/v1/session", { token }),
  logOut: () => request<void>("DELETE", "/api/v1/session"),

  overview: (range: Range, signal?: AbortSignal) => get<OverviewAnswer>("overview", { ...range }, signal),
  worker: (script: string, range: Range, signal?: AbortSignal) =>
    get<WorkerAnswer>(`workers/${part(script)}`, { ...range }, signal),
  query: (q: string, range: Range, limit?: number, signal?: AbortSignal, before?: string) =>
    get<QueryAnswer>("query", { q, ...range, limit, before }, signal),
  /** As `query`, for questions that may read a lot. */
  queryLines: (q: string, range: Range, limit: number | undefined, signal: AbortSignal, onProgress: OnProgress) =>
    requestLines(urlOf("query", { q, ...range, limit }), signal, onProgress),
  fields: (range: Range, signal?: AbortSignal) => get<FieldsAnswer>("fields", { ...range }, signal),
  fieldValues: (name: string, range: Range, prefix: string, signal?: AbortSignal) =>
    get<FieldValuesAnswer>(`fields/${part(name)}/values`, { ...range, prefix, limit: 30 }, signal),
  invocation: (id: string, around: number | undefined, signal?: AbortSignal) =>
    get<InvocationAnswer>(`invocations/${part(id)}`, { around }, signal),

  tokens: () => get<TokensAnswer>("tokens", {}),
  createToken: (body: TokenRequest) => request<TokenCreated>("POST", "/api/v1/tokens", body),
  revokeToken: (id: string) => request<void>("DELETE", `/api/v1/tokens/${part(id)}`),
  audit: (before?: number) => get<AuditAnswer>("audit", { before, limit: 100 }),
  workerSettings: (script: string) => get<WorkerSettings>(`workers/${part(script)}/settings`, {}),
  saveWorkerSettings: (script: string, body: WorkerSettings) =>
    request<WorkerSettings>("PUT", `/api/v1/workers/${part(script)}/settings`, body),
  settings: () => get<PlatformSettings>("settings", {}),
  saveSettings: (body: PlatformSettings) => request<PlatformSettings>("PUT", "/api/v1/settings", body),
};
