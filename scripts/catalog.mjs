/**
 * `node scripts/catalog.mjs`: writes workers/integrations/catalog-list.ts, after an
 * integration was added or removed. `--check` only says whether it is stale.
 */
import { isCatalogStale, writeCatalog } from "./lib/catalog.mjs";
import { Complaint, run } from "./lib/complaint.mjs";

await run(async () => {
  if (process.argv.includes("--check")) {
    if (isCatalogStale())
      throw new Complaint(
        "workers/integrations/catalog-list.ts is stale: run `node scripts/catalog.mjs` and commit it",
      );
    return;
  }
  console.log(`workers/integrations/catalog-list.ts  ${writeCatalog() ? "written" : "unchanged"}`);
});
