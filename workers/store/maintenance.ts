/**
 * The work of the crons (wrangler.toml) and of two admin routes. One part that
 * fails does not keep the others from running; what failed is in the report, and
 * is tried again by the next run: every part may be repeated.
 */
import type { IngesterRpc } from "../buffer/contract.ts";
import { rootMessage } from "../util/error-message.ts";
import { eachWithin } from "../util/parallel.ts";
import { listShards } from "./catalog.ts";
import { type CompactionReport, compact } from "./compaction.ts";
import { foldCounts } from "./counts/folding.ts";
import { collectGarbage, sweepOrphans } from "./garbage.ts";
import { type RetentionReport, retain } from "./retention.ts";

export interface StoreEnv {
  DB: D1Database;
  BUCKET: R2Bucket;
  INGESTER: Env["INGESTER"];
}

export interface HourlyReport {
  woken: number;
  folded?: { rows: number; more: boolean };
  compaction?: CompactionReport;
  garbage?: number;
  errors: string[];
}

export interface DailyReport {
  retention?: RetentionReport;
  orphans?: number;
  errors: string[];
}

export async function runHourly(env: StoreEnv, now: number): Promise<HourlyReport> {
  const report: HourlyReport = { woken: 0, errors: [] };
  const part = parts(report.errors);
  await part("waking", async () => {
    report.woken = await wakeOpenShards(env);
  });
  await part("folding", async () => {
    report.folded = await foldCounts(env.DB);
  });
  await part("compaction", async () => {
    report.compaction = await compact(env, now);
    const { unreadable, failed } = report.compaction;
    for (const message of [...unreadable, ...failed]) report.errors.push(`compaction: ${message}`);
  });
  await part("garbage", async () => {
    report.garbage = await collectGarbage(env, now);
  });
  return report;
}

export async function runDaily(env: StoreEnv, now: number): Promise<DailyReport> {
  const report: DailyReport = { errors: [] };
  const part = parts(report.errors);
  await part("retention", async () => {
    report.retention = await retain(env.DB, now);
  });
  await part("orphans", async () => {
    report.orphans = await sweepOrphans(env, now);
  });
  return report;
}

export interface SealAllReport {
  sealed: number;
  /** `shard: why`. */
  failed: string[];
}

const SEAL_WIDTH = 8;
/** A backlog of a million events takes some 10 s. */
const SEAL_TIMEOUT_MS = 120_000;
const WAKE_TIMEOUT_MS = 10_000;

/** Seals every Ingester; resolves when all that was unsealed is in the catalog, or says what is not. */
export async function sealAll(env: Pick<StoreEnv, "DB" | "INGESTER">): Promise<SealAllReport> {
  const shards = await listShards(env.DB);
  const failures = await eachWithin(shards, { width: SEAL_WIDTH, timeoutMs: SEAL_TIMEOUT_MS }, async ({ shard }) => {
    const ingester: Pick<IngesterRpc, "seal"> = env.INGESTER.getByName(shard);
    const result = await ingester.seal();
    if (!result.ok) throw new Error(result.error);
  });
  const failed = failures.map(({ item, error }) => `${item.shard}: ${error}`);
  return { sealed: shards.length - failed.length, failed };
}

/** An Ingester with unsealed data has an alarm; should one ever be lost, being asked sets it again. */
async function wakeOpenShards(env: Pick<StoreEnv, "DB" | "INGESTER">): Promise<number> {
  const shards = await listShards(env.DB, { open: true });
  await eachWithin(shards, { width: SEAL_WIDTH, timeoutMs: WAKE_TIMEOUT_MS }, async ({ shard }) => {
    const ingester: Pick<IngesterRpc, "status"> = env.INGESTER.getByName(shard);
    await ingester.status();
  });
  return shards.length;
}

function parts(errors: string[]) {
  return async (name: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      const message = `${name}: ${rootMessage(error)}`;
      console.error(message);
      errors.push(message);
    }
  };
}
