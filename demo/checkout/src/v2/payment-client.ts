/** Release 2.1.0: keeps connections to the provider, and does not notice when one has gone stale. */
import type { CheckoutRequest } from "../../../shared/contracts.ts";
import { log } from "../../../shared/log.ts";
import type { Env, PaymentResult } from "../env.ts";
import { charge } from "../payment.ts";
import { borrowConnection, ConnectionError } from "./connection-pool.ts";
import { chargeWallet } from "./wallet/charge.ts";

export class PaymentError extends Error {
  override name = "PaymentError";
}

export async function chargeReusing(request: CheckoutRequest, cents: number, env: Env): Promise<PaymentResult> {
  try {
    const connection = borrowConnection();
    connection.open(request.payment.method);
  } catch (error) {
    if (error instanceof ConnectionError) {
      const failure = new PaymentError(`could not charge ${(cents / 100).toFixed(2)} EUR`, { cause: error });
      // Over RPC the caller gets the error without its cause: this is the last place that knows it.
      log.error("payment failed", failure, {
        user: { id: request.userId },
        amount: cents,
        method: request.payment.method,
      });
      throw failure;
    }
    throw error;
  }
  return request.payment.method === "wallet" ? await chargeWallet(request, cents) : await charge(request, cents, env);
}
