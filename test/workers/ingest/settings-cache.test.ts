import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import type { PlatformSettings } from "../../../workers/api/contract.ts";
import { database, schema } from "../../../workers/db/client.ts";
import { PLATFORM_SETTINGS_KEY } from "../../../workers/db/schema.ts";
import { DEFAULT_PLATFORM_SETTINGS } from "../../../workers/ingest/settings.ts";
import { forgetSettings, loadPolicy, readSettings } from "../../../workers/ingest/settings-cache.ts";

const d1 = database(env.DB);

beforeEach(async () => {
  await d1.batch([d1.delete(schema.settings), d1.delete(schema.workers)]);
  forgetSettings();
});

const saveWorker = (script: string, settings: string) =>
  d1.insert(schema.workers).values({ script, firstSeen: 1, lastSeen: 1, settings });
const savePlatform = (value: string) =>
  d1.insert(schema.settings).values({ key: PLATFORM_SETTINGS_KEY, value, updatedAt: 1 });

/** A D1 that counts what is asked of it, and can be out of order. */
function spiedDb(broken = false) {
  const batch = vi.fn((statements: D1PreparedStatement[]) =>
    broken ? Promise.reject(new Error("D1 is down")) : env.DB.batch(statements),
  );
  return { DB: { prepare: (sql: string) => env.DB.prepare(sql), batch } as unknown as D1Database, batch };
}

test("an empty D1 means the defaults", async () => {
  expect(await readSettings(env.DB)).toEqual({ platform: DEFAULT_PLATFORM_SETTINGS, workers: new Map() });
});

test("a Worker's settings replace the platform's one by one", async () => {
  const platform: PlatformSettings = { ...DEFAULT_PLATFORM_SETTINGS, worker: { retentionDays: 7, ratePerMinute: 100 } };
  await savePlatform(JSON.stringify(platform));
  await saveWorker("shop", JSON.stringify({ ratePerMinute: 5 }));
  const policy = await loadPolicy(env, createExecutionContext());
  expect(policy.worker("shop").ratePerMinute).toBe(5);
  expect(policy.worker("other").ratePerMinute).toBe(100);
});

test("a row that is no settings harms nobody but itself", async () => {
  await savePlatform("{broken");
  await saveWorker("bad", '{"sampling":"all"}');
  await saveWorker("good", '{"ratePerMinute":5}');
  const settings = await readSettings(env.DB);
  expect(settings.platform).toEqual(DEFAULT_PLATFORM_SETTINGS);
  expect([...settings.workers.keys()]).toEqual(["good"]);
});

test("D1 is read once for many calls, and again after a change", async () => {
  const { DB, batch } = spiedDb();
  const ctx = createExecutionContext();
  await Promise.all(Array.from({ length: 50 }, () => loadPolicy({ DB }, ctx)));
  for (let i = 0; i < 50; i++) await loadPolicy({ DB }, ctx);
  expect(batch).toHaveBeenCalledTimes(1);
  await saveWorker("shop", '{"ratePerMinute":5}');
  forgetSettings();
  expect((await loadPolicy({ DB }, ctx)).worker("shop").ratePerMinute).toBe(5);
  expect(batch).toHaveBeenCalledTimes(2);
});

test("old settings are used while new ones are read", async () => {
  const { DB, batch } = spiedDb();
  const ctx = createExecutionContext();
  const first = await loadPolicy({ DB }, ctx);
  await saveWorker("shop", '{"ratePerMinute":5}');
  const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
  expect(await loadPolicy({ DB }, ctx)).toBe(first);
  await waitOnExecutionContext(ctx);
  expect(batch).toHaveBeenCalledTimes(2);
  expect((await loadPolicy({ DB }, ctx)).worker("shop").ratePerMinute).toBe(5);
  clock.mockRestore();
});

test("when D1 is down, ingest goes on: with the defaults, or with what it knew", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { DB } = spiedDb(true);
  expect((await loadPolicy({ DB }, createExecutionContext())).worker("unseen").ratePerMinute).toBeUndefined();

  await saveWorker("shop", '{"ratePerMinute":5}');
  forgetSettings();
  await loadPolicy(env, createExecutionContext());
  const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
  const ctx = createExecutionContext();
  await loadPolicy({ DB }, ctx);
  await waitOnExecutionContext(ctx);
  expect((await loadPolicy({ DB }, createExecutionContext())).worker("shop").ratePerMinute).toBe(5);
  clock.mockRestore();
  warn.mockRestore();
});
