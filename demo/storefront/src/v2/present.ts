/** Release 1.5.0: a product with "others also bought" and its price in the visitor's money. */
import type { Product } from "../../../shared/catalog.ts";
import type { Call } from "../env.ts";
import { presentProduct } from "../present.ts";
import { displayPrice } from "./display-price.ts";
import { recommend } from "./recommend.ts";

export async function presentWithRecommendations(product: Product, call: Call): Promise<Record<string, unknown>> {
  const [presented, recommended] = await Promise.all([presentProduct(product, call), recommend(product, call.session)]);
  const colo = call.request.cf?.colo as string | undefined;
  return { ...presented, displayPrice: displayPrice(product.price, colo), recommended };
}
