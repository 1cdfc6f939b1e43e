/** Release 2.1.0: wallets are charged directly, no longer through the card provider. */
import type { CheckoutRequest } from "../../../../shared/contracts.ts";
import { log } from "../../../../shared/log.ts";
import type { PaymentResult } from "../../env.ts";
import { type WalletProvider, walletOf } from "../../providers.ts";
import { askWallet } from "./answers.ts";
import { type Receipt, readReceipt } from "./receipt.ts";

export async function chargeWallet(request: CheckoutRequest, cents: number): Promise<PaymentResult> {
  const provider = walletOf(request.userId);
  const about = { user: { id: request.userId }, payment: { method: request.payment.method, provider }, amount: cents };
  log.info("charging wallet", about);
  try {
    const receipt = await takeMoney(provider, cents);
    log.info("wallet charged", { reference: receipt.reference, network: receipt.network });
    return { ok: true, reference: receipt.reference };
  } catch (error) {
    // The runtime tells the caller's tail of it, with the caller's frames only: what happened here has to be logged here.
    log.error("wallet charge failed", error, about);
    throw error;
  }
}

async function takeMoney(provider: WalletProvider, cents: number): Promise<Receipt> {
  const answer = await askWallet(provider, cents);
  return readReceipt(answer);
}
