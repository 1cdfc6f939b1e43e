/** Release 2.1.0: keeps connections to the provider, and does not notice when one has gone stale. */
import type { CheckoutRequest } from "../../../shared/contracts.ts";
import type { Env, PaymentResult } from "../env.ts";
import { charge } from "../payment.ts";
import { borrowConnection, ConnectionError } from "./connection-pool.ts";

export class PaymentError extends Error {
  override name = "PaymentError";
}

export async function chargeReusing(request: CheckoutRequest, cents: number, env: Env): Promise<PaymentResult> {
  try {
    const connection = borrowConnection();
    connection.open(request.payment.method);
  } catch (error) {
    if (error instanceof ConnectionError) {
      throw new PaymentError(`could not charge ${(cents / 100).toFixed(2)} EUR for ${request.userId}`, {
        cause: error,
      });
    }
    throw error;
  }
  return charge(request, cents, env);
}
