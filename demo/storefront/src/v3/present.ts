/** Release 1.6.0: a product with the day on which it would arrive. */
import type { Product } from "../../../shared/catalog.ts";
import type { Call } from "../env.ts";
import { presentProduct } from "../present.ts";
import { deliveryPromise } from "./delivery-promise.ts";

export async function presentWithPromise(product: Product, call: Call): Promise<Record<string, unknown>> {
  const presented = await presentProduct(product, call);
  return { ...presented, promise: deliveryPromise(call.session.country, new Date().getUTCHours()) };
}
