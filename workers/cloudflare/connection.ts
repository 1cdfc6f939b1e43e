/**
 * The Cloudflare account that Tailrace acts on: one row in D1, its token sealed.
 * `api/routes/cloudflare.ts` connects and disconnects; guards ask for a client of
 * what is connected. The base URL is the Worker's own variable, never a caller's:
 * a token is sent nowhere else.
 */
import { eq, isNull, ne } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { CloudflareAnswer, CloudflareRequest } from "../api/contract.ts";
import { database, schema } from "../db/client.ts";
import { cloudflareTokenPurpose } from "../secrets/purposes.ts";
import { type KeyEnv, open, type SealFailure, seal } from "../secrets/seal.ts";
import { within } from "../util/within.ts";
import { createClient } from "./client.ts";
import type { ApiFailure, CloudflareClient, WorkersClient } from "./contract.ts";
import { failure } from "./failure.ts";
import { createWorkersClient } from "./workers.ts";

export type ConnectionEnv = Pick<Env, "DB" | "CLOUDFLARE_API_BASE_URL"> & KeyEnv;
type Row = typeof schema.cloudflareAccounts.$inferSelect;

/** How soon another isolate notices that the account was connected or disconnected; one D1 read per isolate and this time. */
const CACHE_MS = 10_000;
/** A guard must not hang on D1: it has a client of a moment ago, or says that it cannot see. */
const D1_TIMEOUT_MS = 3_000;
/** With D1 away a guard goes on for so long with the token it has: taking back a bad version must not wait for D1. */
const STALE_MS = 15 * 60_000;
/** Characters of the token that are shown: of 40, to tell two apart. */
const HINT_CHARS = 4;
/** A person waits for it: one round trip, not the patience of a guard. */
const VERIFY_TIMEOUT_MS = 6_000;
/** Tokens are revoked seldom; whoever looks at the connection wants to know it within minutes. */
const VERIFIED_FOR_MS = 10 * 60_000;
/** Between two questions of one isolate, when the answer was no. */
const CHECK_PAUSE_MS = 60_000;
/** A page waits for it. */
const CHECK_TIMEOUT_MS = 3_000;
/** Running rollouts that a refusal names. */
const MAX_NAMED = 10;

const purpose = (env: ConnectionEnv, accountId: string) =>
  cloudflareTokenPurpose(accountId, env.CLOUDFLARE_API_BASE_URL);

let cached: { db: D1Database; client: CloudflareClient | null; at: number } | undefined;
/** Counts `forgetConnection`: what was being read before it must not be kept. */
let generation = 0;

/**
 * null: no account is connected. Never throws: a client that cannot be had is one
 * whose every call fails and says why.
 */
export async function connectedClient(env: ConnectionEnv): Promise<CloudflareClient | null> {
  const known = cached?.db === env.DB ? cached : undefined;
  if (known !== undefined && isYoung(known.at, CACHE_MS)) return known.client;
  const before = generation;
  try {
    const row = await rowOf(env);
    const client = row === undefined ? null : await clientOf(env, row);
    if (before === generation) cached = { db: env.DB, client, at: Date.now() };
    return client;
  } catch {
    // What went wrong is D1's: its message has no place in a rollout's record.
    if (known !== undefined && isYoung(known.at, STALE_MS)) return known.client;
    return failing(
      "unavailable",
      "The database did not answer, so it is not known which Cloudflare account is connected.",
    );
  }
}

/** What Workers of the account are asked and told with. Not kept: people do it, one by one. */
export type Workers =
  | { ok: true; client: WorkersClient; accountId: string }
  | { ok: false; why: "not_connected" }
  | { ok: false; why: "no_token"; accountId: string; message: string };

/** Throws when D1 does. */
export async function connectedWorkers(env: ConnectionEnv): Promise<Workers> {
  const row = await rowOf(env);
  if (row === undefined) return { ok: false, why: "not_connected" };
  const { accountId } = row;
  const opened = await open(env, purpose(env, accountId), row.sealedToken);
  if (!opened.ok) return { ok: false, why: "no_token", accountId, message: opened.message };
  const account = { baseUrl: env.CLOUDFLARE_API_BASE_URL, accountId, token: opened.text };
  return { ok: true, client: createWorkersClient(account), accountId };
}

/** A clock that was set back makes nothing young. */
const isYoung = (at: number, ms: number) => Math.abs(Date.now() - at) < ms;

/**
 * What is connected, and whether Cloudflare still takes its token, for whoever shows
 * it. Throws when D1 does.
 */
export async function readConnection(env: ConnectionEnv): Promise<CloudflareAnswer> {
  const row = await rowOf(env);
  if (row === undefined) return NOT_CONNECTED;
  const opened = await open(env, purpose(env, row.accountId), row.sealedToken);
  if (!opened.ok) return answerOf(row, opened.message);
  return isYoung(row.verifiedAt ?? 0, VERIFIED_FOR_MS) ? answerOf(row, null) : recheck(env, row, opened.text);
}

let lastCheck: { sealed: string; at: number; answer: CloudflareAnswer } | undefined;

/**
 * At most one per isolate and pause, however many look: the limit of Cloudflare's API is
 * for rollouts. Those who come meanwhile are told what is stored: a promise is not
 * shared, since a request that is cancelled would leave it open for all others.
 */
async function recheck(env: ConnectionEnv, row: Row, token: string): Promise<CloudflareAnswer> {
  if (lastCheck?.sealed === row.sealedToken && isYoung(lastCheck.at, CHECK_PAUSE_MS)) return lastCheck.answer;
  const check = { sealed: row.sealedToken, at: Date.now(), answer: answerOf(row, null) };
  lastCheck = check;
  check.answer = await checkNow(env, row, token);
  return check.answer;
}

async function checkNow(env: ConnectionEnv, row: Row, token: string): Promise<CloudflareAnswer> {
  const asked = clientWith(env, row.accountId, token, CHECK_TIMEOUT_MS).verify();
  const verified = await within(CHECK_TIMEOUT_MS, undefined, asked).catch(() => undefined);
  if (verified === undefined)
    return answerOf(row, "Cloudflare's API does not answer at present; the token may be fine.");
  if (!verified.ok) return answerOf(row, verified.message);
  const { cloudflareAccounts } = schema;
  const verifiedAt = Date.now();
  const same = eq(cloudflareAccounts.sealedToken, row.sealedToken);
  await database(env.DB).update(cloudflareAccounts).set({ verifiedAt }).where(same);
  return answerOf({ ...row, verifiedAt }, null);
}

export const NOT_CONNECTED: CloudflareAnswer = {
  connected: false,
  accountId: null,
  tokenHint: null,
  verifiedAt: null,
  problem: null,
};

export type ConnectFailure =
  | { ok: false; at: "secret"; why: SealFailure }
  | { ok: false; at: "cloudflare"; why: ApiFailure };
export type Connected = { ok: true; answer: CloudflareAnswer } | ConnectFailure;

/**
 * Stores the token once Cloudflare has accepted it; replaces what was connected.
 * @param also statements of the same transaction: the audit row
 */
export async function connect(
  env: ConnectionEnv,
  { accountId, token }: CloudflareRequest,
  by: string,
  also: readonly BatchItem<"sqlite">[] = [],
): Promise<Connected> {
  const sealed = await seal(env, purpose(env, accountId), token);
  if (!sealed.ok) return { ok: false, at: "secret", why: sealed };
  const verified = await clientWith(env, accountId, token, VERIFY_TIMEOUT_MS).verify();
  if (!verified.ok) return { ok: false, at: "cloudflare", why: verified };
  const now = Date.now();
  const row: Row = {
    accountId,
    sealedToken: sealed.sealed,
    tokenHint: token.slice(-HINT_CHARS),
    createdAt: now,
    createdBy: by,
    verifiedAt: now,
  };
  const { cloudflareAccounts } = schema;
  const db = database(env.DB);
  await db.batch([
    db.delete(cloudflareAccounts).where(ne(cloudflareAccounts.accountId, accountId)),
    db.insert(cloudflareAccounts).values(row).onConflictDoUpdate({ target: cloudflareAccounts.accountId, set: row }),
    ...also,
  ]);
  forgetConnection();
  return { ok: true, answer: answerOf(row, null) };
}

export async function disconnect(env: ConnectionEnv, also: readonly BatchItem<"sqlite">[] = []): Promise<void> {
  const db = database(env.DB);
  await db.batch([db.delete(schema.cloudflareAccounts), ...also]);
  forgetConnection();
}

/** Workers with a rollout that has not ended: without the account, nobody can take them back, and nobody else may make versions of them. */
export async function rolloutsUnderWay(env: Pick<Env, "DB">, atMost = MAX_NAMED): Promise<string[]> {
  const { rollouts } = schema;
  const found = await database(env.DB)
    .select({ script: rollouts.script })
    .from(rollouts)
    .where(isNull(rollouts.endedAt))
    .limit(atMost);
  return found.map(({ script }) => script);
}

/** After a change, so that this isolate reads it at its next use. */
export function forgetConnection(): void {
  cached = undefined;
  generation++;
}

async function rowOf(env: ConnectionEnv): Promise<Row | undefined> {
  const read = database(env.DB).select().from(schema.cloudflareAccounts).limit(1);
  return (await within(D1_TIMEOUT_MS, "D1", read.execute()))[0];
}

async function clientOf(env: ConnectionEnv, row: Row): Promise<CloudflareClient> {
  const opened = await open(env, purpose(env, row.accountId), row.sealedToken);
  return opened.ok
    ? clientWith(env, row.accountId, opened.text)
    : failing("unauthorized", `There is no token for Cloudflare's API: ${opened.message}`);
}

const clientWith = (env: ConnectionEnv, accountId: string, token: string, timeoutMs?: number) =>
  createClient({ baseUrl: env.CLOUDFLARE_API_BASE_URL, accountId, token, timeoutMs });

function failing(kind: ApiFailure["kind"], message: string): CloudflareClient {
  const fails = async () => failure(kind, 0, message);
  return { deployments: fails, deploy: fails, versions: fails, version: fails, tailConsumers: fails, verify: fails };
}

const answerOf = ({ accountId, tokenHint, verifiedAt }: Row, problem: string | null): CloudflareAnswer => ({
  connected: true,
  ...{ accountId, tokenHint },
  ...{ verifiedAt, problem },
});
