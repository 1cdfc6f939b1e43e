/**
 * What the marketplace offers: the list (catalog-list.ts, made from the files of
 * catalog/), and what of it is data. `api/` answers with it, `delivery/` finds in
 * it who speaks a destination's protocol.
 */
import type { CatalogEntry } from "../api/contract/integrations.ts";
import { INTEGRATIONS } from "./catalog-list.ts";
import type { Integration } from "./contract.ts";

export { INTEGRATIONS };

export const integrationOf = (id: string): Integration | undefined => INTEGRATIONS.find((i) => i.id === id);

/** Without its functions: what an answer may hold. */
export function entryOf(integration: Integration): CatalogEntry {
  const { id, name, role, category, summary, takes, defaultFeeds, defaultNotices } = integration;
  const { fields, documentation, website, mark, idempotent } = integration;
  const data = { id, name, role, category, summary, takes, fields, documentation, website, mark, idempotent };
  return {
    ...data,
    ...(defaultFeeds === undefined ? {} : { defaultFeeds }),
    ...(defaultNotices === undefined ? {} : { defaultNotices }),
  };
}
