/** What every handler of the API is given, and what it may answer. */
import type { Context } from "hono";
import type { Scope } from "./contract.ts";
import type { Failure } from "./errors.ts";

/** Who is asking. `actor` is what the audit log records. */
export interface Principal {
  actor: string;
  scope: Scope;
  /** `session` and `access` ride on cookies that a browser sends by itself: their changes need a same-origin check. */
  via: "token" | "session" | "access";
  /** The token behind it; sessions carry the one that opened them. */
  tokenId?: string;
  /** Set for sessions: what log-out deletes. */
  sessionHash?: string;
  /** ms since the epoch. */
  expiresAt?: number;
}

export interface ApiEnv {
  Bindings: Env;
  Variables: { requestId: string; principal?: Principal };
}
export type ApiContext = Context<ApiEnv>;

/** Work that may outlive the answer (`waitUntil`). */
export type Defer = (work: Promise<unknown>) => void;

/** Handlers return expected failures as values; `app.ts` turns them into HTTP. */
export type Handler = (c: ApiContext) => Promise<Response | Failure>;

/** For routes that declare a scope: the guard has put a principal there. */
export function principalOf(c: ApiContext): Principal {
  const principal = c.get("principal");
  if (principal === undefined) throw new Error(`BUG: ${c.req.path} asks who is there, but its route is public`);
  return principal;
}
