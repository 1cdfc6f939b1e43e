/**
 * Is the pipeline ready and moving? `routes/health.ts` asks, for `/healthz`.
 * Each check has a time-out and a message that says what to do; the answer is
 * kept for a moment, so that asking often costs nothing. Nothing in it is secret,
 * and nobody's Worker or destination is named. Moving is told by forward progress
 * (self/progress.ts, decision 0030).
 */
import { sql } from "drizzle-orm";
import journal from "../../migrations/meta/_journal.json";
import { SEAL_AGE_MS } from "../buffer/limits.ts";
import { runBatch } from "../db/batch.ts";
import { type Consumer, consumersOf } from "../self/consumers.ts";
import { type AskedIngester, askIngesters, readStored } from "../self/facts.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { HealthAnswer } from "./contract.ts";
import { withoutSecrets } from "./errors.ts";
import { keeping } from "./kept.ts";

type Check = HealthAnswer["checks"][number];

/** A part that takes longer is as good as down. */
const CHECK_TIMEOUT_MS = 3_000;
/** One failed seal is tried again within a second; more in a row are an outage. */
const MAX_SEAL_FAILURES = 2;
/** A flush of issues is tried again within seconds, while their errors are stored all the same. */
const MAX_FLUSH_FAILURES = 3;
/** Characters of a message that comes from elsewhere. */
const MAX_MESSAGE_CHARS = 300;

export const health: (now: number, env: Env) => Promise<HealthAnswer> = keeping(
  { keepMs: 2_000, keepWhileMakingMs: 10_000, makeMs: CHECK_TIMEOUT_MS * 2 },
  checkAll,
);

export async function checkAll(env: Env): Promise<HealthAnswer> {
  const [stored, bucket] = await Promise.all([
    timed("database", () => checkDatabase(env)),
    timed("bucket", () => env.BUCKET.head("healthz")),
  ]);
  const checks = [stored.check, bucket.check];
  const facts = stored.value;
  if (facts !== undefined) {
    const asked = await timed("ingesters", () => askIngesters(env, facts.toAsk));
    const ingesters = asked.value ?? [];
    checks.push({ ...asked.check, ...(asked.check.ok ? judgeIngesters(ingesters) : {}) });
    const consumers = consumersOf({ ...facts, ingesters }, { sealAgeMs: SEAL_AGE_MS }, Date.now());
    checks.push({ name: "consumers", ...judgeConsumers(consumers) });
  }
  return { status: checks.every((check) => check.ok) ? "ok" : "failing", checks };
}

const notMigrated = (migration: string) =>
  `migration ${migration} is not applied: run \`npm run deploy\`, or \`npx wrangler d1 migrations apply tailrace --local\` for wrangler dev`;

/** Rejects when D1 is away or not migrated. */
async function checkDatabase(env: Env) {
  const wanted = `${journal.entries.at(-1)?.tag}.sql`;
  try {
    const [applied] = await runBatch<[{ name: string }]>(env.DB, [
      sql`SELECT name FROM d1_migrations WHERE name = ${wanted}`,
    ]);
    if (applied.length === 0) throw new Error(notMigrated(wanted));
    return await readStored(env);
  } catch (error) {
    throw /no such table/.test(rootMessage(error)) ? new Error(notMigrated(wanted)) : error;
  }
}

/** Counts and causes, no names: anyone may read this. Pure. */
export function judgeIngesters(
  asked: readonly Pick<AskedIngester, "status" | "error">[],
): Pick<Check, "ok" | "message"> {
  const silent = asked.filter((a) => a.status === undefined);
  const failing = asked.filter((a) => (a.status?.sealFailures ?? 0) >= MAX_SEAL_FAILURES);
  const troubles: string[] = [];
  if (silent.length > 0) troubles.push(`${silent.length} do not answer: ${silent[0]?.error}`);
  if (failing.length > 0)
    troubles.push(`${failing.length} cannot seal: ${failing[0]?.status?.lastError ?? "no message"}`);
  const untold = asked.filter((a) => (a.status?.flushFailures ?? 0) >= MAX_FLUSH_FAILURES);
  if (untold.length > 0) troubles.push(`${untold.length} cannot bring errors to issues`);
  if (troubles.length === 0) return { ok: true };
  return { ok: false, message: cut(`Of ${asked.length} Ingesters asked, ${troubles.join("; ")}`) };
}

/** How many of which kind stand still; who they are is on the status page. Pure. */
export function judgeConsumers(
  consumers: readonly Pick<Consumer, "kind" | "condition">[],
): Pick<Check, "ok" | "message"> {
  const stalled = consumers.filter((consumer) => consumer.condition === "stalled");
  if (stalled.length === 0) return { ok: true };
  const kinds = [...Map.groupBy(stalled, (consumer) => consumer.kind)].map(
    ([kind, some]) => `${some.length} of ${kind}`,
  );
  return {
    ok: false,
    message: `Of ${consumers.length} consumers, these have work and have not moved for a minute: ${kinds.join(", ")}. The status page says which`,
  };
}

/** The first line: what drizzle appends lists parameters, names of Workers among them. */
const cut = (text: string) => withoutSecrets(text.split("\n", 1)[0] ?? "").slice(0, MAX_MESSAGE_CHARS);

async function timed<T>(name: string, work: () => Promise<T>): Promise<{ check: Check; value?: T }> {
  const start = Date.now();
  try {
    const value = await within(CHECK_TIMEOUT_MS, name, work());
    return { check: { name, ok: true, ms: Date.now() - start }, value };
  } catch (error) {
    return { check: { name, ok: false, message: cut(rootMessage(error)), ms: Date.now() - start } };
  }
}
