/** Picks companions for a product: same category, near in delivery time and price. */
import { PRODUCTS, type Product } from "../../../shared/catalog.ts";
import { callUpstream } from "../../../shared/upstream.ts";
import type { Session } from "../env.ts";
import { deliveryDays } from "./delivery.ts";

const MODEL_MEDIAN_MS = 8;
const SHOWN = 4;

export async function recommend(product: Product, session: Session): Promise<{ sku: string; name: string }[]> {
  await callUpstream("recommendation-model", MODEL_MEDIAN_MS);
  const candidates = PRODUCTS.filter((other) => other.category === product.category && other.sku !== product.sku);
  return rank(product, candidates, session)
    .slice(0, SHOWN)
    .map(({ sku, name }) => ({ sku, name }));
}

function rank(product: Product, candidates: Product[], session: Session): Product[] {
  const days = deliveryDays(product.supplier, session.country);
  const inTime = candidates.filter((other) => other.supplier.region !== null);
  return inTime
    .map((other) => ({ other, distance: distance(product, other, days, session) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ other }) => other);
}

function distance(product: Product, other: Product, days: number, session: Session): number {
  const gap = Math.abs(deliveryDays(other.supplier, session.country) - days);
  return gap + Math.abs(other.price - product.price) / 1000;
}
