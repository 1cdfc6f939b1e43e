/** Names of the secrets that a resource writes: a prefix that somebody may choose, so that two of a kind fit in one Worker. */
import type { CatalogField } from "../../api/contract/integrations.ts";

/** Bindings are identifiers; Cloudflare takes 255 characters, a name to type has less. */
const PREFIX = /^[A-Z][A-Z0-9_]{0,49}$/;

export const prefixField = (prefix: string, names: readonly string[]): CatalogField => ({
  name: "prefix",
  label: "Prefix of the secrets",
  type: "text",
  required: false,
  secret: false,
  advanced: true,
  default: prefix,
  help: `The Workers get ${names.map((name) => `${prefix}_${name}`).join(", ")}. Another prefix lets a Worker have two.`,
});

export const prefixProblem = (prefix: string | undefined): Record<string, string> =>
  prefix === undefined || prefix === "" || PREFIX.test(prefix)
    ? {}
    : { prefix: "Capital letters, digits and _ only, a letter first: it becomes the name of a binding." };
