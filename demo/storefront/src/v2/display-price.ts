/** Release 1.5.0: prices in the money of the place. By Cloudflare location, and one line of the table is not finished. */
interface Money {
  currency: string;
  /** Units for one euro. */
  rate: number;
}

const EURO: Money = { currency: "EUR", rate: 1 };
const BY_COLO: Record<string, Money> = {
  LHR: { currency: "GBP", rate: 0.86 },
  EWR: { currency: "USD", rate: 1.09 },
  SJC: { currency: "USD", rate: 1.09 },
  YYZ: { currency: "CAD", rate: 1.48 },
  GRU: { currency: "BRL", rate: 6.1 },
  BOM: { currency: "", rate: 91 },
  NRT: { currency: "JPY", rate: 161 },
  SYD: { currency: "AUD", rate: 1.66 },
};

export function displayPrice(cents: number, colo: string | undefined): string {
  return formatMoney(cents / 100, BY_COLO[colo ?? ""] ?? EURO);
}

function formatMoney(euros: number, { currency, rate }: Money): string {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(euros * rate);
}
