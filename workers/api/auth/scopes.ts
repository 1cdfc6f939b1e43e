/** What a scope may do. Pure. */
import type { Scope } from "../contract.ts";

/** What a route asks for: a scope, any valid credential, or nothing. */
export type RouteScope = Scope | "any" | "public";

export function allows(held: Scope, asked: RouteScope): boolean {
  return asked === "public" || asked === "any" || held === "admin" || held === asked;
}
