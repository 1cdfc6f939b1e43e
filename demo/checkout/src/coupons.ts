/** Coupons: a code, a share. */
import type { CheckoutRequest } from "../../shared/contracts.ts";

const COUPONS: Record<string, number> = { WELCOME10: 0.1, SPRING5: 0.05 };

export async function couponDiscount(request: CheckoutRequest, subtotal: number): Promise<number> {
  return Math.round(subtotal * (COUPONS[request.coupon ?? ""] ?? 0));
}
