/** Who is logged in. `undefined` while unknown, `null` for nobody. */
import { signal } from "@preact/signals";
import type { SessionAnswer } from "../../../workers/api/contract.ts";
import { ApiFailure, api, whenUnauthorized } from "../api/client.ts";
import { navigate } from "./location.ts";

export const session = signal<SessionAnswer | null | undefined>(undefined);
/** Set when the server could not even say who is logged in. */
export const bootError = signal<ApiFailure | undefined>(undefined);

const here = () => window.location.pathname + window.location.search;

function toLogIn(): void {
  session.value = null;
  if (window.location.pathname === "/login") return;
  const next = here() === "/" ? "" : `?next=${encodeURIComponent(here())}`;
  navigate(`/login${next}`, true);
}
whenUnauthorized(toLogIn);

export async function boot(): Promise<void> {
  bootError.value = undefined;
  try {
    session.value = await api.session();
    if (window.location.pathname === "/login") navigate(wanted(), true);
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 401) toLogIn();
    else if (error instanceof ApiFailure) bootError.value = error;
    else throw error;
  }
}

/** Where the reader wanted to go before log-in. Only paths of this site. */
export function wanted(): string {
  const next = new URLSearchParams(window.location.search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
}

export async function logIn(token: string): Promise<void> {
  session.value = await api.logIn(token.trim());
  navigate(wanted(), true);
}

export async function logOut(): Promise<void> {
  await api.logOut();
  session.value = null;
  navigate("/login", true);
}
