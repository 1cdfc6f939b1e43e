/** What a cart costs: rounded per line, tax by country. */
import type { CheckoutRequest, Quote } from "../../shared/contracts.ts";
import type { Release } from "./env.ts";

/** VAT or sales tax, roughly. */
const TAX: Record<string, number> = {
  DE: 0.19,
  FR: 0.2,
  GB: 0.2,
  NL: 0.21,
  US: 0.07,
  CA: 0.13,
  JP: 0.1,
  BR: 0.17,
  IN: 0.18,
  AU: 0.1,
};
const DEFAULT_TAX = 0.2;
const SHIPPING_CENTS = 490;
const FREE_SHIPPING_FROM_CENTS = 5_000;

export async function priceCart(request: CheckoutRequest, release: Release): Promise<Quote> {
  const subtotal = request.lines.reduce((sum, line) => sum + Math.round(line.quantity * line.unitPrice), 0);
  const discount = await release.discount(request, subtotal);
  const goods = subtotal - discount;
  const shipping = goods >= FREE_SHIPPING_FROM_CENTS ? 0 : SHIPPING_CENTS;
  const tax = Math.round((goods + shipping) * (TAX[request.country] ?? DEFAULT_TAX));
  return { subtotal, discount, shipping, tax, total: goods + shipping + tax, currency: "EUR" };
}
