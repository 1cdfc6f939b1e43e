/** A secret that is ours to make, for a receiver that does not make its own: as the catalog says, from the browser's random numbers. */
import type { CatalogField } from "../../../workers/api/contract.ts";

export function madeSecret({ prefix, bytes }: NonNullable<CatalogField["generate"]>): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return prefix + btoa(String.fromCharCode(...random));
}

/** Those of a form that sets up something new. */
export const madeSecrets = (fields: readonly CatalogField[]): Record<string, string> =>
  Object.fromEntries(fields.flatMap((f) => (f.generate === undefined ? [] : [[f.name, madeSecret(f.generate)]])));
