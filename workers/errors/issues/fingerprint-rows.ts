/**
 * Sums of fingerprints as rows for the statements of a flush (`apply.ts`,
 * `announce.ts`), which read them as `json_each(…) j`. A row is a list: with the
 * names in each, a flush of thousands would be twice as long. Here they have names.
 */
import { sql } from "drizzle-orm";
import { jsonChunks } from "../../db/json-chunks.ts";
import type { FingerprintSum } from "./aggregate.ts";

export function fingerprintRows(sums: readonly FingerprintSum[]): string[] {
  return jsonChunks(
    sums.map((f) => [
      f.fingerprint,
      f.group,
      [f.fingerprint, ...f.aliases],
      f.script,
      f.algorithm,
      f.kind,
      f.noise,
      f.type,
      f.title,
      f.culprit,
      f.awaitsMap,
      f.first,
      f.last,
      f.firstVersion.id,
      f.lastVersion.id,
      f.count,
      f.firstVersion,
    ]),
  );
}

/** The values of row `j`, in the order above. */
export const ROW = {
  fingerprint: sql.raw("j.value->>0"),
  group: sql.raw("j.value->>1"),
  /** JSON: keys that lead to the issue, best first. */
  relatives: sql.raw("j.value->2"),
  script: sql.raw("j.value->>3"),
  algorithm: sql.raw("j.value->>4"),
  kind: sql.raw("j.value->>5"),
  noise: sql.raw("j.value->>6"),
  type: sql.raw("j.value->>7"),
  title: sql.raw("j.value->>8"),
  culprit: sql.raw("j.value->>9"),
  awaitsMap: sql.raw("j.value->>10"),
  first: sql.raw("j.value->>11"),
  last: sql.raw("j.value->>12"),
  firstVersion: sql.raw("j.value->>13"),
  lastVersion: sql.raw("j.value->>14"),
  count: sql.raw("j.value->>15"),
  /** JSON: id, tag and message. */
  firstVersionName: sql.raw("j.value->16"),
} as const;
