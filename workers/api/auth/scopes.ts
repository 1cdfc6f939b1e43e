/** What a scope may do. Pure. */
import type { Scope } from "../contract.ts";

/**
 * What a route asks for: a scope, any valid credential, or nothing. Who may start
 * a rollout may follow it as well: CI has one token.
 */
export type RouteScope = Scope | "read or deploy" | "any" | "public";

export function allows(held: Scope, asked: RouteScope): boolean {
  if (asked === "public" || asked === "any" || held === "admin") return true;
  return asked === "read or deploy" ? held === "read" || held === "deploy" : held === asked;
}
