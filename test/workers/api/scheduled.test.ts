/** The crons as the platform fires them, by name, and by hand without one. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runHousekeeping } from "../../../workers/api/housekeeping.ts";
import worker from "../../../workers/index.ts";
import { ADMIN, call, logIn } from "./client.ts";

const fire = (cron: string) => worker.scheduled(createScheduledController({ cron }), env);
const count = async (sql: string) => (await env.DB.prepare(sql).first<{ n: number }>())?.n;
const DAY_MS = 86_400_000;

describe("the daily cron", () => {
  it("clears away sessions that are over and audit rows that nobody asks for any more, and nothing else", async () => {
    await logIn(ADMIN);
    await logIn(ADMIN);
    await env.DB.prepare("update sessions set expires_at = 1 where rowid = 1").run();
    const old = (action: string, days: number) =>
      env.DB.prepare("insert into audit (at, actor, action, target, detail) values (?, 'a', ?, 't', '{}')")
        .bind(Date.now() - days * DAY_MS, action)
        .run();
    await old("session.refused", 31);
    await old("session.refused", 29);
    await old("token.create", 399);
    await old("token.create", 401);
    await fire("17 3 * * *");
    expect(await count("select count(*) as n from sessions")).toBe(1);
    expect(await count("select count(*) as n from audit where actor = 'a'")).toBe(2);
    expect(await count("select count(*) as n from audit where action = 'session.open'")).toBe(2);
  });

  it("forgets details of old issues while the bucket is away, and says what failed", async () => {
    await env.DB.prepare(
      "insert into incidents (fingerprint, version_id, colo, started_at, ended_at, victims) values ('v1-old', 'v', 'LHR', 1, 2, 3)",
    ).run();
    const away = new Proxy(env.BUCKET, {
      get: () => () => {
        throw new Error("the bucket is away");
      },
    });
    await expect(runHousekeeping({ ...env, BUCKET: away }, Date.now())).rejects.toThrow("the bucket is away");
    expect(await count("select count(*) as n from incidents")).toBe(0);
  });
});

describe("any other cron", () => {
  it.each(["7 * * * *", "", "* * * * *"])("%j does the hourly work", async (cron) => {
    await fire(cron);
    expect((await call("/healthz")).status).toBe(200);
  });
});
