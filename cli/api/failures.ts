/** What the API answers when it says no, as a `CliFailure` with what to do; and what every request says of itself. */
import type { ApiError } from "../../workers/api/contract.ts";
import { CliFailure } from "../failure.ts";
import type { Server } from "../options.ts";
import { safeJson, safeLine } from "../safe-text.ts";

export function headersOf({ token, access }: Server, userAgent: string): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, "user-agent": userAgent };
  if (access !== undefined) {
    headers["cf-access-client-id"] = access.id;
    headers["cf-access-client-secret"] = access.secret;
  }
  return headers;
}

export interface Refusal {
  status: number;
  /** Of a redirect. */
  location?: string | undefined;
}

/** An answer of the API that says no. */
export class ApiFailure extends CliFailure {
  readonly status: number;
  readonly code: string;
  /** What the API itself said, and about which field. */
  readonly said: string;
  readonly details: unknown;
  constructor(message: string, status: number, code: string, said = message, details?: unknown) {
    super(message);
    this.status = status;
    this.code = code;
    this.said = said;
    this.details = details;
  }
}

/** @param scope that the token should have */
export function failureOf({ status, location }: Refusal, text: string, origin: string, scope: string): ApiFailure {
  if (status >= 300 && status < 400) {
    const to = location ?? "elsewhere";
    const access = /cloudflareaccess\.com/.test(to)
      ? "Cloudflare Access stands in front of it: set CLOUDFLARE_ACCESS_CLIENT_ID and CLOUDFLARE_ACCESS_CLIENT_SECRET to a service token."
      : "Set TAILRACE_URL to the address that it leads to, if that is your Tailrace.";
    return new ApiFailure(`${origin} leads to ${safeLine(to.split("?")[0] as string)}. ${access}`, status, "redirect");
  }
  const error = readError(text);
  const said = safeLine(error?.message ?? `HTTP ${status}`);
  if (status === 401)
    return new ApiFailure(
      `${origin} does not know the token (401): ${said} Make one with the scope ${scope} in Settings, and put it into TAILRACE_TOKEN.`,
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
    said,
    error?.details,
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
  return error?.details === undefined ? "" : ` ${safeJson(error.details).slice(0, 500)}`;
}
