/** Stock of an order: reserved shelf by shelf, given back when a later shelf has too little. */
import type { CartLine, ReserveResult } from "../../shared/contracts.ts";
import { shelfOf } from "../../shared/shelves.ts";
import type { Env } from "./env.ts";

export async function reserveStock(orderId: string, lines: CartLine[], env: Env): Promise<ReserveResult> {
  const done: CartLine[] = [];
  for (const [shelf, members] of byShelf(lines)) {
    const result = await env.STOCK.getByName(shelf).reserve(orderId, members);
    if (!result.ok) {
      await releaseStock(orderId, done, env);
      return result;
    }
    done.push(...members);
  }
  return { ok: true, reservation: orderId };
}

export async function releaseStock(orderId: string, lines: CartLine[], env: Env): Promise<void> {
  await Promise.all([...byShelf(lines).keys()].map((shelf) => env.STOCK.getByName(shelf).release(orderId)));
}

function byShelf(lines: CartLine[]): Map<string, CartLine[]> {
  const shelves = new Map<string, CartLine[]>();
  for (const line of lines) shelves.set(shelfOf(line.sku), [...(shelves.get(shelfOf(line.sku)) ?? []), line]);
  return shelves;
}
