/** `/api/v1/integrations`: the marketplace's catalog. */
import { entryOf, INTEGRATIONS } from "../../integrations/catalog.ts";
import type { Handler } from "../context.ts";
import type { CatalogAnswer } from "../contract.ts";

export const listIntegrations: Handler = async (c) =>
  c.json({ integrations: INTEGRATIONS.map(entryOf) } satisfies CatalogAnswer);
