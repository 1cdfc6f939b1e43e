/** An issue repeats what its fingerprints add up to: said again after they moved. Statements of the batch that moves them. */
import { type SQL, sql } from "drizzle-orm";
import { fingerprints, issues } from "../../db/schema.ts";

/** `ids`: what may stand in `IN (…)`. An issue without anything counted keeps the figures that it had. */
export function recount(ids: SQL): SQL[] {
  const counted = sql`FROM ${fingerprints} WHERE issue_id IN (${ids}) AND count > 0 GROUP BY issue_id`;
  // A bare column beside max() or min() is of the row that has it (SQLite).
  return [
    // What moved here or away is no new occurrence: an ignored issue waits for as many more as before.
    sql`UPDATE ${issues} SET ignore_base = issues.ignore_base + d.n - issues.count, count = d.n, last_seen = d.last, last_version = d.version
      FROM (SELECT issue_id AS id, sum(count) AS n, max(last_seen) AS last, last_version AS version ${counted}) d
      WHERE issues.id = d.id`,
    sql`UPDATE ${issues} SET first_seen = d.first, first_version = d.version
      FROM (SELECT issue_id AS id, min(first_seen) AS first, first_version AS version ${counted}) d WHERE issues.id = d.id`,
  ];
}
