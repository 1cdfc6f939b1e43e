/**
 * What may be shown of an address that is kept secret, so that a person knows which
 * one it is: its host. `rows.ts` hands in. Some services make a name of its own for
 * each customer, and whoever knows the name may send there: of those the part that
 * looks made up is left out. Pure.
 */

/** Names that people give are words; such names are shorter, or have no digits. */
const MADE_UP = /^(?=.*\d)[a-z\d-]{12,}$/;

/** @returns undefined for what is no address */
export function hostOf(secret: string): string | undefined {
  const url = /^https?:\/\//i.test(secret) ? URL.parse(secret) : null;
  if (url === null) return undefined;
  const labels = url.host.split(".");
  // The last two are the service's own, or an IPv6 address that has no dots.
  return labels.map((label, n) => (n < labels.length - 2 && MADE_UP.test(label) ? "…" : label)).join(".");
}
