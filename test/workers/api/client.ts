/** A client of the API for tests in workerd. Each gets an address of its own, so that limits do not meet. */
import { exports } from "cloudflare:workers";
import type { Scope, TokenCreated } from "../../../workers/api/contract.ts";

export const ADMIN = "test-admin-token";
export const ORIGIN = "http://tailrace.test";

export interface Call {
  method?: string;
  token?: string;
  cookie?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Client address as Cloudflare would report it. */
  address?: string;
}

export async function call(path: string, { method = "GET", token, cookie, body, headers, address }: Call = {}) {
  return exports.default.fetch(
    new Request(new URL(path, ORIGIN), {
      method,
      headers: {
        "cf-connecting-ip": address ?? "192.0.2.1",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
      redirect: "manual",
    }),
  );
}

export async function makeToken(scope: Scope, more: { expiresInDays?: number } = {}): Promise<TokenCreated> {
  const response = await call("/api/v1/tokens", {
    method: "POST",
    token: ADMIN,
    body: { name: `a ${scope} token`, scope, ...more },
  });
  if (response.status !== 201) throw new Error(`making a token: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Logs in and returns the cookie as the browser would send it back. */
export async function logIn(token: string, address?: string): Promise<string> {
  const response = await call("/api/v1/session", { method: "POST", body: { token }, ...(address ? { address } : {}) });
  if (response.status !== 200) throw new Error(`log-in: ${response.status} ${await response.text()}`);
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

export const errorCode = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;
