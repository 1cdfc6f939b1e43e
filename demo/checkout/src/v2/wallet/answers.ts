/** The wallets' side of the wire: what each of them answers to a charge. */
import { callUpstream } from "../../../../shared/upstream.ts";
import type { WalletProvider } from "../../providers.ts";

const WALLET_MEDIAN_MS = 45;

export async function askWallet(provider: WalletProvider, cents: number): Promise<string> {
  await callUpstream(`wallet-${provider}`, WALLET_MEDIAN_MS);
  const authorization = { code: crypto.randomUUID().slice(0, 6), cents };
  // nordpay moves money from account to account: there is no network to name.
  const network = provider === "nordpay" ? {} : { network: { name: "visa", region: "EU" } };
  return JSON.stringify({ id: `${provider}-${cents}`, authorization: { ...authorization, ...network } });
}
