/** Fields that destinations over HTTP, and in files, have in common: `catalog/` says what is particular about them. */
import type { CatalogField } from "../../api/contract/integrations.ts";

const COMPRESSIONS = [
  { value: "gzip", label: "gzip" },
  { value: "none", label: "None" },
];

/** @param byDefault is offered first */
export function compressionField(byDefault: "gzip" | "none", help: string): CatalogField {
  const options = byDefault === "gzip" ? COMPRESSIONS : COMPRESSIONS.toReversed();
  const field = { name: "compression", label: "Compression", type: "select" } as const;
  return { ...field, required: false, secret: false, help, default: byDefault, options };
}

/** Whatever a receiver wants to see, a key mostly. `headers.ts` reads it. */
export const headersField = (more: Pick<CatalogField, "help" | "example">): CatalogField => ({
  ...{ name: "headers", label: "Headers", type: "secret" },
  ...{ required: false, secret: true },
  ...more,
});
