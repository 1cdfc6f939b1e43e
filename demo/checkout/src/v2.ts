/** Release 2.1.0: loyalty discounts, and a payment client with connection reuse. */
import { createCheckout } from "./service.ts";
import { loyaltyDiscount } from "./v2/loyalty.ts";
import { chargeReusing } from "./v2/payment-client.ts";

export const Checkout = createCheckout({ version: "2.1.0", discount: loyaltyDiscount, charge: chargeReusing });

export default { fetch: () => new Response("shop-checkout answers over RPC only\n", { status: 404 }) };
