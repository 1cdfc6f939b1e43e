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

type Params = Record<string, string | number | undefined>;

function urlOf(path: string, params: Params): string {
  const search = new URLSearchParams();
  for (const key in params) if (params[key] !== undefined && params[key] !== "") search.set(key, String(params[key]));
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

async function request<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      signal,
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiFailure(0, "unreachable", "Tailrace does not answer. Check the connection; this page tries again.");
  }
  if (!response.ok) {
    const failure = await failureOf(response);
    if (failure.status === 401 && !url.endsWith("/session")) onUnauthorized();
    throw failure;
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const get = <T>(path: string, params: Params, signal?: AbortSignal) =>
  request<T>("GET", urlOf(path, params), undefined, signal);
const part = encodeURIComponent;

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
