/**
 * What was left undone by those who should have: notifications that were not
 * passed on, stacks that still wait though their map is there (it could not be
 * read in time, or there were too many), fingerprints beyond what a Worker may
 * have. Hourly.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, sourceMaps } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { boundFingerprints } from "./fingerprint-cap.ts";
import { SWEEP_VERSIONS } from "./limits.ts";
import { publishAll } from "./notify.ts";
import { regroupAll } from "./regroup.ts";

/** Returns what failed; one part does not keep the others from running. */
export async function sweepIssues(
  env: Pick<Env, "DB" | "BUCKET" | "LIVE" | "DELIVERY" | "COUNTERS">,
  now: number,
): Promise<string[]> {
  const results = await Promise.allSettled([publishAll(env, now), regroupWaiting(env, now), boundFingerprints(env)]);
  const errors = results.flatMap((r) => (r.status === "rejected" ? [rootMessage(r.reason)] : []));
  for (const message of errors) console.error(`sweep of issues: ${message}`);
  return errors;
}

/** In no order: what waits for a file that was never uploaded must not always come first. */
async function regroupWaiting(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<void> {
  const [waiting] = await runBatch<[{ script: string; versionId: string }]>(env.DB, [
    sql`SELECT DISTINCT m.script AS script, m.version_id AS versionId FROM ${sourceMaps} m
      WHERE EXISTS (SELECT 1 FROM ${fingerprints} f WHERE f.script = m.script AND f.awaits_map = m.version_id)
      ORDER BY random() LIMIT ${SWEEP_VERSIONS}`,
  ]);
  for (const { script, versionId } of waiting) await regroupAll(env, script, versionId, now, "waiting");
}
