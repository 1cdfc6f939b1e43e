/** Release 2.0.1: the one that works. */
import { couponDiscount } from "./coupons.ts";
import { charge } from "./payment.ts";
import { createCheckout } from "./service.ts";
import { houseCarrier } from "./shipping.ts";

export const Checkout = createCheckout({ version: "2.0.1", discount: couponDiscount, charge, ship: houseCarrier });

export default { fetch: () => new Response("shop-checkout answers over RPC only\n", { status: 404 }) };
