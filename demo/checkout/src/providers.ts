/** Who moves the money: by the way of paying, and for wallets by the customer. */
import type { CheckoutRequest } from "../../shared/contracts.ts";

const WALLETS = ["walletone", "nordpay", "tapcash"] as const;
export type WalletProvider = (typeof WALLETS)[number];

export function walletOf(userId: string): WalletProvider {
  const serial = Number(/\d+$/.exec(userId)?.[0] ?? 0);
  return WALLETS[serial % WALLETS.length] ?? "walletone";
}

export function providerOf({ payment, userId }: CheckoutRequest): string {
  if (payment.method === "card") return "cardworks";
  return payment.method === "invoice" ? "billhouse" : walletOf(userId);
}
