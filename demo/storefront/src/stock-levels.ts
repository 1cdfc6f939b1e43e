/** Stock levels for products: one call per shelf, side by side. */
import { shelfOf } from "../../shared/shelves.ts";
import type { Env } from "./env.ts";

export async function stockLevels(skus: string[], env: Env): Promise<Map<string, number>> {
  const shelves = new Map<string, string[]>();
  for (const sku of skus) shelves.set(shelfOf(sku), [...(shelves.get(shelfOf(sku)) ?? []), sku]);
  const levels = await Promise.all([...shelves].map(([shelf, members]) => env.STOCK.getByName(shelf).levels(members)));
  return new Map(levels.flat().map((level) => [level.sku, level.available]));
}
