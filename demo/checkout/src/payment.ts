/** The payment provider, as release 2.0.1 talks to it. */
import type { CheckoutRequest } from "../../shared/contracts.ts";
import { log } from "../../shared/log.ts";
import { callUpstream } from "../../shared/upstream.ts";
import type { Env, PaymentResult } from "./env.ts";
import { providerOf } from "./providers.ts";

const PROVIDER_MEDIAN_MS = 60;
/** A well-known test card that is always declined. */
const DECLINED_CARD = "4000 0000 0000 0002";

export async function charge(request: CheckoutRequest, cents: number, env: Env): Promise<PaymentResult> {
  // Far too much for a log; it is here to show that none of it is stored.
  log.debug("charging", {
    user: { id: request.userId },
    payment: { method: request.payment.method, provider: providerOf(request) },
    amount: cents,
    card_number: request.payment.card,
    api_key: env.PAYMENT_API_KEY,
    email: request.payment.email,
  });
  await callUpstream("payments", PROVIDER_MEDIAN_MS);
  if (request.payment.card === DECLINED_CARD) {
    log.warn("card declined", { amount: cents, user: { id: request.userId }, decline_code: "insufficient_funds" });
    return { ok: false, message: "The card was declined" };
  }
  return { ok: true, reference: `pay_${crypto.randomUUID().slice(0, 8)}` };
}
