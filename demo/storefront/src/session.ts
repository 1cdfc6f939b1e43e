/** Who is shopping: a session cookie, and the user it belongs to. */
import type { Session } from "./env.ts";

export function readSession(request: Request): Session {
  const cookies = request.headers.get("cookie") ?? "";
  const id = /(?:^|;\s*)session=([\w-]+)/.exec(cookies)?.[1] ?? "anonymous";
  const userId = /(?:^|;\s*)user=([\w-]+)/.exec(cookies)?.[1] ?? "guest";
  return { id, userId, country: request.headers.get("cf-ipcountry") ?? "XX" };
}
