/** How long a supplier takes to reach a country. */
import type { Supplier } from "../../../shared/catalog.ts";

const ABROAD_DAYS = 3;

/** The candidates are filtered for suppliers without a region; the product that is looked at was forgotten. */
export function deliveryDays(supplier: Supplier, country: string): number {
  const origin = originOf(supplier);
  return origin.leadDays + (origin.code === country ? 0 : ABROAD_DAYS);
}

function originOf(supplier: Supplier): { code: string; leadDays: number } {
  const region = supplier.region as { code: string; leadDays: number };
  return { code: region.code, leadDays: region.leadDays };
}
