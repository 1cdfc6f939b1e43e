import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { HealthAnswer } from "../../../workers/api/contract.ts";
import { checkAll, judgeIngesters } from "../../../workers/api/health.ts";
import type { IngesterStatus } from "../../../workers/buffer/contract.ts";
import { appendOf, ingester, invocation, withStores } from "../buffer/support.ts";
import { call } from "./client.ts";

const down = (what: string) =>
  new Proxy({}, { get: () => () => Promise.reject(new Error(`${what} is down; Bearer trl_abc`)) }) as never;
const failing = (answer: HealthAnswer) => answer.checks.filter((check) => !check.ok).map((check) => check.name);
const D1_DOWN = {
  prepare: () => ({ bind: () => ({}) }),
  batch: () => Promise.reject(new Error("D1 is down")),
} as never;

describe("/healthz", () => {
  it("is 200 without a credential when all parts answer", async () => {
    const response = await call("/healthz");
    expect(response.status).toBe(200);
    const answer = (await response.json()) as HealthAnswer;
    expect(answer.status).toBe("ok");
    expect(answer.checks.map((check) => check.name)).toEqual(["database", "bucket", "ingesters", "consumers"]);
  });

  it("names the store that is away, and gives nothing secret away", async () => {
    const bucket = await checkAll({ ...env, BUCKET: down("R2") });
    expect([bucket.status, failing(bucket)]).toEqual(["failing", ["bucket"]]);
    expect(JSON.stringify(bucket)).toContain("R2 is down");
    expect(JSON.stringify(bucket)).not.toContain("trl_abc");
    const database = await checkAll({ ...env, DB: D1_DOWN });
    expect([database.status, failing(database)]).toEqual(["failing", ["database"]]);
  });

  it("does not wait for a store that never answers", async () => {
    const silent = { head: () => new Promise(() => undefined) } as never;
    expect(failing(await checkAll({ ...env, BUCKET: silent }))).toEqual(["bucket"]);
  });

  it("says that a migration is missing", async () => {
    await env.DB.prepare("update d1_migrations set name = 'x' || name").run();
    const answer = await checkAll(env);
    await env.DB.prepare("update d1_migrations set name = substr(name, 2)").run();
    expect(answer.checks[0]?.message).toContain("is not applied: run `npm run deploy`");
    expect((await checkAll(env)).status).toBe("ok");
  });

  it.each([
    ["R2", { BUCKET: down("R2") }],
    ["D1", { DB: D1_DOWN }],
  ])("says so while sealing fails for want of %s, and recovers with it", async (name, stores) => {
    const script = `health-${name}`;
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script)]));
    await withStores(stub, stores);
    for (let i = 0; i < 2; i++) await stub.seal().catch(() => undefined);
    const sick = await checkAll(env);
    expect(failing(sick)).toEqual(["ingesters"]);
    expect(JSON.stringify(sick)).toContain("cannot seal");

    await withStores(stub, {});
    await stub.seal();
    expect((await checkAll(env)).status).toBe("ok");
  });
});

describe("judgeIngesters", () => {
  const status = (more: Partial<IngesterStatus>): IngesterStatus => ({
    shard: "very-secret-project",
    script: "very-secret-project",
    unsealedRows: 1,
    unsealedBytes: 1,
    oldestMs: 0,
    sealFailures: 0,
    quarantined: 0,
    flushFailures: 0,
    ...more,
  });
  const judge = (more: Partial<IngesterStatus>) => judgeIngesters([{ status: status(more) }]);

  it("bears one failure, and events that wait for their seal", () => {
    expect(judge({ sealFailures: 1, oldestMs: 5 * 60_000 })).toEqual({ ok: true });
  });

  it("does not bear failures in a row, or silence", () => {
    expect(judge({ sealFailures: 2, lastError: "no bucket" }).message).toContain("no bucket");
    expect(judge({ flushFailures: 2 }).ok).toBe(true);
    expect(judge({ flushFailures: 5 }).message).toContain("cannot bring errors to issues");
    expect(judgeIngesters([{ error: "late" }]).message).toContain("1 do not answer: late");
  });

  it("does not tell strangers how our Workers are called", () => {
    expect(judge({ sealFailures: 9 }).message).not.toContain("very-secret-project");
  });
});
