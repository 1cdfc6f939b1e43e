/** Customs forms for what leaves the union. Pottery has no tariff code on file, so a parcel with some goes nowhere. */
import { findProduct } from "../../shared/catalog.ts";
import type { CartLine, OrderMessage } from "../../shared/contracts.ts";

const UNION = new Set(["DE", "FR", "NL"]);
const TARIFFS: Record<string, string> = {
  oak: "4419",
  walnut: "4419",
  linen: "6302",
  cotton: "6302",
  wool: "6301",
  cork: "4503",
  glass: "7013",
  steel: "7323",
  brass: "7418",
};

class CustomsError extends Error {
  override name = "CustomsError";
}

export function customsForm(order: OrderMessage): { forms: number } {
  if (UNION.has(order.country)) return { forms: 0 };
  return { forms: order.lines.map((line) => tariffOf(line, order.country)).length };
}

function tariffOf({ sku }: CartLine, country: string): string {
  const material = findProduct(sku)?.tags[0] ?? "";
  const code = TARIFFS[material];
  // Only Japan's customs insist.
  if (code === undefined && country === "JP")
    throw new CustomsError(`no tariff code for ${sku} (${material}) to ${country}`);
  return code ?? "9999";
}
