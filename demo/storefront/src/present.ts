/** A product as the API shows it. */
import type { Product } from "../../shared/catalog.ts";
import type { Call } from "./env.ts";
import { stockLevels } from "./stock-levels.ts";

export async function presentProduct(product: Product, { env }: Call): Promise<Record<string, unknown>> {
  const levels = await stockLevels([product.sku], env);
  return { ...product, supplier: product.supplier.name, available: levels.get(product.sku) ?? 0 };
}
