/**
 * Is the pipeline ready and moving? `routes/health.ts` asks, for `/healthz`.
 * Each check has a time-out and a message that says what to do; the answer is
 * kept for a moment, so that asking often costs nothing. Nothing in it is secret.
 */
import { sql } from "drizzle-orm";
import journal from "../../migrations/meta/_journal.json";
import type { IngesterRpc, IngesterStatus } from "../buffer/contract.ts";
import { SEAL_AGE_MS } from "../buffer/limits.ts";
import { runBatch } from "../db/batch.ts";
import { schema } from "../db/client.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { HealthAnswer } from "./contract.ts";
import { withoutSecrets } from "./errors.ts";

type Check = HealthAnswer["checks"][number];

/** A part that takes longer is as good as down. */
const CHECK_TIMEOUT_MS = 2_000;
/** Asking wakes a Durable Object. Only those with unsealed events are asked, the ones longest in that state first. */
const MAX_ASKED = 16;
/** One failed seal is tried again within a second; more in a row are an outage. */
const MAX_SEAL_FAILURES = 2;
/** A flush of issues is tried again within seconds, while their errors are stored all the same. */
const MAX_FLUSH_FAILURES = 3;
/** Sealing starts at SEAL_AGE_MS; a backlog may take a while longer. */
const MAX_UNSEALED_MS = SEAL_AGE_MS + 120_000;
/** A health answer is reused this long. */
const KEEP_MS = 2_000;
/** While one request checks anew, the others get the last answer, up to this age. */
const KEEP_WHILE_CHECKING_MS = 10_000;
/** Characters of a message that comes from elsewhere. */
const MAX_MESSAGE_CHARS = 300;

const kept: { answer?: HealthAnswer; at: number; startedAt: number } = { at: 0, startedAt: 0 };

export async function health(env: Env, now: number): Promise<HealthAnswer> {
  const age = now - kept.at;
  const checking = now - kept.startedAt < CHECK_TIMEOUT_MS * 2;
  if (kept.answer !== undefined && (age < KEEP_MS || (checking && age < KEEP_WHILE_CHECKING_MS))) return kept.answer;
  kept.startedAt = now;
  const answer = await checkAll(env);
  kept.answer = answer;
  kept.at = Date.now();
  kept.startedAt = 0;
  return answer;
}

export async function checkAll(env: Env): Promise<HealthAnswer> {
  const [catalog, bucket] = await Promise.all([
    timed("database", () => checkDatabase(env)),
    timed("bucket", () => env.BUCKET.head("healthz")),
  ]);
  const checks = [catalog.check, bucket.check];
  if (catalog.value !== undefined) {
    const names = catalog.value;
    const statuses = await timed("ingesters", () => askIngesters(env, names));
    checks.push(
      statuses.value === undefined ? statuses.check : { ...statuses.check, ...judgeIngesters(statuses.value) },
    );
  }
  return { status: checks.every((check) => check.ok) ? "ok" : "failing", checks };
}

const notMigrated = (migration: string) =>
  `migration ${migration} is not applied: run \`npm run deploy\`, or \`npx wrangler d1 migrations apply tailrace --local\` for wrangler dev`;

/** Resolves with the Ingesters to ask; rejects when D1 is away or not migrated. */
async function checkDatabase(env: Env): Promise<string[]> {
  const wanted = `${journal.entries.at(-1)?.tag}.sql`;
  const { shards } = schema;
  const asked = runBatch<[{ name: string }, { name: string }]>(env.DB, [
    sql`SELECT name FROM d1_migrations WHERE name = ${wanted}`,
    sql`SELECT shard AS name FROM ${shards} WHERE open <> 0 ORDER BY updated_at LIMIT ${MAX_ASKED}`,
  ]);
  const [applied, open] = await asked.catch((error: unknown) => {
    throw /no such table/.test(rootMessage(error)) ? new Error(notMigrated(wanted)) : error;
  });
  if (applied.length === 0) throw new Error(notMigrated(wanted));
  return open.map((row) => row.name);
}

const ingester = (env: Env, shard: string): Pick<IngesterRpc, "status"> => env.INGESTER.getByName(shard);

type Asked = { shard: string; status?: IngesterStatus; error?: string };

async function askIngesters(env: Env, names: readonly string[]): Promise<Asked[]> {
  return Promise.all(
    names.map(async (shard) => {
      try {
        return { shard, status: await within(CHECK_TIMEOUT_MS, "status", ingester(env, shard).status()) };
      } catch (error) {
        return { shard, error: rootMessage(error) };
      }
    }),
  );
}

/** Counts and causes, no names: anyone may read this. Pure. */
export function judgeIngesters(asked: readonly Asked[]): Pick<Check, "ok" | "message"> {
  const silent = asked.filter((a) => a.status === undefined);
  const failing = asked.filter((a) => (a.status?.sealFailures ?? 0) >= MAX_SEAL_FAILURES);
  const behind = asked.filter((a) => (a.status?.oldestMs ?? 0) > MAX_UNSEALED_MS);
  const troubles: string[] = [];
  if (silent.length > 0) troubles.push(`${silent.length} do not answer: ${silent[0]?.error}`);
  if (failing.length > 0)
    troubles.push(`${failing.length} cannot seal: ${failing[0]?.status?.lastError ?? "no message"}`);
  const untold = asked.filter((a) => (a.status?.flushFailures ?? 0) >= MAX_FLUSH_FAILURES);
  if (untold.length > 0) troubles.push(`${untold.length} cannot bring errors to issues`);
  if (behind.length > 0) troubles.push(`${behind.length} hold events longer than ${MAX_UNSEALED_MS / 1000} s unsealed`);
  if (troubles.length === 0) return { ok: true };
  return { ok: false, message: cut(`Of ${asked.length} Ingesters asked, ${troubles.join("; ")}`) };
}

/** The first line: what drizzle appends lists parameters, names of Workers among them. */
const cut = (text: string) => withoutSecrets(text.split("\n", 1)[0] ?? "").slice(0, MAX_MESSAGE_CHARS);

async function timed<T>(name: string, work: () => Promise<T>): Promise<{ check: Check; value?: T }> {
  const start = Date.now();
  try {
    const value = await within(CHECK_TIMEOUT_MS * 1.5, name, work());
    return { check: { name, ok: true, ms: Date.now() - start }, value };
  } catch (error) {
    return { check: { name, ok: false, message: cut(rootMessage(error)), ms: Date.now() - start } };
  }
}
