/** Reads what `preflight.ts` judges: of Cloudflare all at once, of our own store how much traffic there was. */
import { sql } from "drizzle-orm";
import type { ApiFailure, ApiResult, CloudflareClient, Deployment, VersionDetail } from "../../cloudflare/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { sourceMaps } from "../../db/schema.ts";
import type { AskEnv } from "../../store/counts/ask-ingesters.ts";
import { readRollups } from "../../store/counts/read.ts";
import { within } from "../../util/within.ts";
import { DB_MS, RECENT_MS } from "./limits.ts";
import type { Facts, Telemetry } from "./preflight.ts";
import { percentOf } from "./run.ts";

const MINUTE_MS = 60_000;

export type Read<T> = { ok: true; value: T } | ApiFailure;

type Asked = Pick<Facts, "self" | "script" | "wanted" | "mode" | "running" | "phase"> & {
  telemetry: () => Promise<Telemetry>;
  /** Of these ids of versions, those whose source maps are here; null: unknown. Left out where they do not matter. */
  mapped?: (versions: readonly string[]) => Promise<readonly string[] | null>;
  /** The rollout's old version, where there is one already. */
  old?: string;
};

/**
 * Which of two live versions is old: that with all of the traffic; of a split, the
 * other one than is asked for, and of two others the one that was uploaded first.
 */
export function oldOf(live: Deployment, wanted: string, numberOf: (id: string) => number): string | undefined {
  const ids = live.versions.filter(({ percent }) => percent > 0).map(({ version }) => version);
  if (ids.length > 1 && percentOf(live.versions, wanted) > 0) return ids.find((id) => id !== wanted);
  return ids.sort((a, b) => numberOf(a) - numberOf(b))[0];
}

/** Fails with the first answer of Cloudflare that is none; a version that is not there is a fact. */
export async function readFacts(
  client: CloudflareClient,
  { old, telemetry, mapped, ...asked }: Asked,
): Promise<Read<Facts>> {
  const { script, wanted } = asked;
  const [deployments, versions, tails, next, seen] = await Promise.all([
    client.deployments(script),
    client.versions(script),
    client.tailConsumers(script),
    detail(client, script, wanted),
    telemetry(),
  ]);
  if (!deployments.ok) return deployments;
  if (!versions.ok) return versions;
  if (!tails.ok) return tails;
  if (!next.ok) return next;
  const live = deployments.value[0] ?? null;
  const numbers = new Map(versions.value.map(({ id, number }) => [id, number]));
  const oldId = old ?? (live === null ? undefined : oldOf(live, wanted, (id) => numbers.get(id) ?? 0));
  const before = oldId === undefined ? ({ ok: true, value: null } as const) : await detail(client, script, oldId);
  if (!before.ok) return before;
  const known = oldId === undefined || mapped === undefined ? null : await mapped([oldId, wanted]);
  const maps = known === null ? null : { old: known.includes(oldId as string), new: known.includes(wanted) };
  const value: Facts = {
    ...asked,
    maps,
    live,
    old: before.value,
    new: next.value,
    versions: versions.value,
    tailConsumers: tails.value,
    telemetry: seen,
  };
  return { ok: true, value };
}

async function detail(client: CloudflareClient, script: string, id: string): Promise<Read<VersionDetail | null>> {
  const answer: ApiResult<VersionDetail> = await client.version(script, id);
  return answer.ok || answer.kind !== "not_found" ? answer : { ok: true, value: null };
}

export async function mappedOf(d1: D1Database, script: string, versions: readonly string[]): Promise<string[] | null> {
  try {
    const [rows] = await within(
      DB_MS,
      undefined,
      runBatch<[{ version: string }]>(d1, [
        sql`SELECT DISTINCT version_id AS version FROM ${sourceMaps}
          WHERE script = ${script} AND version_id IN (SELECT value FROM json_each(${JSON.stringify(versions)}))`,
      ]),
    );
    return rows.map(({ version }) => version);
  } catch {
    return null;
  }
}

/** How much of the Worker came lately, sealed or not. */
export async function recentTelemetry(env: AskEnv, script: string, now: number): Promise<Telemetry> {
  const minutes = RECENT_MS / MINUTE_MS;
  try {
    const { rows, missing } = await within(
      DB_MS,
      undefined,
      readRollups(env, { from: now - RECENT_MS, to: now + MINUTE_MS, script }),
    );
    const requests = rows.reduce((sum, row) => sum + row.requests, 0);
    return { requests: requests === 0 && missing.length > 0 ? null : requests, minutes };
  } catch {
    return { requests: null, minutes };
  }
}
