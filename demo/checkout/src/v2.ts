/** Release 2.1.0: loyalty discounts, a payment client with connection reuse, wallets of their own, the cheapest carrier. */
import { createCheckout } from "./service.ts";
import { cheapestCarrier } from "./v2/carriers.ts";
import { loyaltyDiscount } from "./v2/loyalty.ts";
import { chargeReusing } from "./v2/payment-client.ts";

export const Checkout = createCheckout({
  version: "2.1.0",
  discount: loyaltyDiscount,
  charge: chargeReusing,
  ship: cheapestCarrier,
});

export default { fetch: () => new Response("shop-checkout answers over RPC only\n", { status: 404 }) };
