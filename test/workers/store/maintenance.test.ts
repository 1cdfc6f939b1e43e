import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PlatformSettings } from "../../../workers/api/contract.ts";
import { PLATFORM_SETTINGS_KEY } from "../../../workers/db/schema.ts";
import { cell } from "../../../workers/event/batch.ts";
import { DEFAULT_PLATFORM_SETTINGS } from "../../../workers/ingest/settings.ts";
import { compact } from "../../../workers/store/compaction.ts";
import { collectGarbage, GARBAGE_DELAY_MS, sweepOrphans } from "../../../workers/store/garbage.ts";
import { runDaily, runHourly, sealAll } from "../../../workers/store/maintenance.ts";
import { retain } from "../../../workers/store/retention.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { appendOf, failingDb, ingester, invocation, sealed, TEN_O_CLOCK } from "../buffer/support.ts";

const DAY_MS = 86_400_000;
/** Two hours after the events of these tests. */
const NOW = TEN_O_CLOCK / 1000 + 7_200_000;

async function sealPieces(script: string, pieces: number, rows = 3): Promise<void> {
  const stub = ingester(script);
  for (let piece = 0; piece < pieces; piece++) {
    // Interleaved in time, so that merging has to sort.
    const events = Array.from({ length: rows }, (_, i) => invocation(script, TEN_O_CLOCK + i * 1000 + piece));
    await stub.append(appendOf(script, events));
    await stub.seal();
  }
}

async function keysOf(script: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT key FROM segments WHERE script = ? ORDER BY key")
    .bind(script)
    .all<{ key: string }>();
  return results.map((r) => r.key);
}

async function timesIn(key: string): Promise<number[]> {
  const bytes = new Uint8Array((await (await env.BUCKET.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
  const segment = await openSegment({ read: async (at, n) => bytes.subarray(at, at + n) }, bytes.byteLength);
  const times: number[] = [];
  for (let group = 0; group < segment.rowGroups.length; group++) {
    const column = (await segment.read(group, ["time"])).columns.get("time");
    if (column?.type === "time") times.push(...column.data);
  }
  return times;
}

const exists = async (key: string) => (await env.BUCKET.head(key)) !== null;

describe("compaction", () => {
  it("merges the pieces of an hour into one segment, sorted, and deletes them an hour later", async () => {
    await sealPieces("compact-one", 6);
    const before = await keysOf("compact-one");
    expect(before).toHaveLength(6);
    const report = await compact(env, NOW);
    expect(report).toMatchObject({ inputs: 6, outputs: 1, rows: 18, unreadable: [] });
    const [key, ...none] = await keysOf("compact-one");
    expect(none).toEqual([]);
    expect(key).toMatch(/^events\/script=compact-one\/date=2026-11-20\/hour=10\/c1-[0-9a-f]+\.parquet$/);
    const times = await timesIn(key ?? "");
    expect(times).toHaveLength(18);
    expect(times).toEqual([...times].sort((a, b) => a - b));

    await collectGarbage(env, NOW + GARBAGE_DELAY_MS - 1);
    expect(await exists(before[0] ?? "")).toBe(true);
    expect(await collectGarbage(env, NOW + GARBAGE_DELAY_MS)).toBe(6);
    expect(await exists(before[0] ?? "")).toBe(false);
    expect(await exists(key ?? "")).toBe(true);
    expect(await compact(env, NOW)).toMatchObject({ inputs: 0, outputs: 0 });
  });

  it("counts once when its answer is lost, and when it runs twice at once", async () => {
    await sealPieces("compact-lost", 4);
    const { failed } = await compact({ BUCKET: env.BUCKET, DB: failingSwap() }, NOW);
    expect(failed).toEqual([expect.stringMatching(/compact-lost.*is away/)]);
    expect(await sealed("compact-lost")).toMatchObject({ rows: 12, segments: 1 });
    await compact(env, NOW);
    expect(await sealed("compact-lost")).toMatchObject({ rows: 12, segments: 1 });

    await sealPieces("compact-race", 4);
    await Promise.all([compact(env, NOW), compact(env, NOW)]);
    expect(await sealed("compact-race")).toMatchObject({ rows: 12, segments: 1 });
  });

  it("leaves the hour that goes on alone until it has many pieces, and goes on where a bounded run ended", async () => {
    const during = TEN_O_CLOCK / 1000 + 1_800_000;
    await sealPieces("compact-open", 3);
    await compact(env, during);
    expect((await sealed("compact-open")).segments).toBe(3);
    await sealPieces("compact-bounded", 4);
    const first = await compact(env, NOW, 1);
    expect(first.more).toBe(true);
    for (let n = 0; n < 5 && (await compact(env, NOW, 1)).more; n++);
    expect(await sealed("compact-open")).toMatchObject({ rows: 9, segments: 1 });
    expect(await sealed("compact-bounded")).toMatchObject({ rows: 12, segments: 1 });
  });

  it("keeps every attribute of every event, also when there are too many for columns of their own", async () => {
    const script = "compact-wide";
    const stub = ingester(script);
    const expected = new Map<number, Record<string, unknown>>();
    for (let piece = 0; piece < 4; piece++) {
      const events = Array.from({ length: 20 }, (_, i) => {
        const own = Array.from({ length: 8 }, (_, k) => [`k${(piece * 97 + i * 8 + k) % 400}`, `v${piece}.${i}.${k}`]);
        const attributes = { "user.id": `u${i}`, mixed: piece % 2 === 0 ? i : `text ${i}`, ...Object.fromEntries(own) };
        const time = TEN_O_CLOCK + i * 10 + piece;
        expected.set(time, { ...attributes, mixed: String(attributes.mixed) });
        return invocation(script, time, { attributes });
      });
      await stub.append(appendOf(script, events));
      await stub.seal();
    }
    await compact(env, NOW);
    const [key = "", ...none] = await keysOf(script);
    expect(none).toEqual([]);
    const bytes = new Uint8Array((await (await env.BUCKET.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
    const segment = await openSegment({ read: async (at, n) => bytes.subarray(at, at + n) }, bytes.byteLength);
    const names = segment.columns.map((c) => c.name).filter((name) => /^(k\d+|user\.id|mixed)$/.test(name));
    const { columns, rows } = await segment.read(0, ["time", ...names]);
    expect(rows).toBe(80);
    for (let row = 0; row < rows; row++) {
      const found: Record<string, unknown> = {};
      for (const name of names) {
        const value = cell(columns.get(name), row);
        if (value !== undefined) found[name] = value;
      }
      expect(found).toEqual(expected.get(cell(columns.get("time"), row) as number));
    }
  });

  it("goes around a segment that cannot be read, and reports it", async () => {
    await sealPieces("compact-damaged", 5);
    const [damaged = ""] = await keysOf("compact-damaged");
    await env.BUCKET.put(damaged, "not a segment");
    const report = await compact(env, NOW);
    expect(report.unreadable).toEqual([expect.stringContaining(damaged)]);
    expect(await sealed("compact-damaged")).toMatchObject({ rows: 15, segments: 2 });
  });
});

/** The batch that swaps segments is applied, but its answer is lost; reads work. */
function failingSwap(): D1Database {
  const failing = failingDb("after");
  let batches = 0;
  return new Proxy(env.DB, {
    get(on, property) {
      // Two reads come first: the hours, and the segments of one hour.
      if (property === "batch" && ++batches > 2) return failing.batch;
      const value: unknown = Reflect.get(on, property, on);
      return typeof value === "function" ? (value.bind(on) as unknown) : value;
    },
  });
}

describe("retention", () => {
  it("forgets segments of a Worker after its own days, and their objects later", async () => {
    const now = TEN_O_CLOCK / 1000 + 10 * DAY_MS;
    await sealPieces("retain-short", 1);
    await sealPieces("retain-long", 1);
    const [key = ""] = await keysOf("retain-short");
    await env.DB.prepare("UPDATE workers SET settings = ? WHERE script = 'retain-short'")
      .bind(JSON.stringify({ retentionDays: 7 }))
      .run();
    await retain(env.DB, now);
    expect((await sealed("retain-short")).segments).toBe(0);
    expect((await sealed("retain-long")).segments).toBe(1);
    expect(await exists(key)).toBe(true);
    await collectGarbage(env, now + GARBAGE_DELAY_MS);
    expect(await exists(key)).toBe(false);
    await retain(env.DB, TEN_O_CLOCK / 1000 + 31 * DAY_MS);
    expect((await sealed("retain-long")).segments).toBe(0);
  });

  it("goes by the platform's days where a Worker has none of its own", async () => {
    const now = TEN_O_CLOCK / 1000 + 10 * DAY_MS;
    await sealPieces("retain-standard", 1);
    await sealPieces("retain-own", 1);
    const platform: PlatformSettings = { ...DEFAULT_PLATFORM_SETTINGS, worker: { retentionDays: 7 } };
    await env.DB.batch([
      env.DB.prepare("UPDATE workers SET settings = ? WHERE script = 'retain-own'").bind(
        JSON.stringify({ retentionDays: 20 }),
      ),
      env.DB.prepare("INSERT INTO settings VALUES (?, ?, 0)").bind(PLATFORM_SETTINGS_KEY, JSON.stringify(platform)),
    ]);
    await retain(env.DB, now);
    await env.DB.prepare("DELETE FROM settings WHERE key = ?").bind(PLATFORM_SETTINGS_KEY).run();
    expect((await sealed("retain-standard")).segments).toBe(0);
    expect((await sealed("retain-own")).segments).toBe(1);
  });

  it("forgets minutes after 30 days, but only those that were folded, and hours after 13 months", async () => {
    await sealPieces("retain-counts", 1);
    const rows = async (table: string) =>
      await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE script = 'retain-counts'`).first("n");
    await retain(env.DB, TEN_O_CLOCK / 1000 + 31 * DAY_MS);
    expect(await rows("rollup_minutes")).toBe(1);
    await runHourly(env, NOW);
    await retain(env.DB, TEN_O_CLOCK / 1000 + 31 * DAY_MS);
    expect([await rows("rollup_minutes"), await rows("ledger_minutes")]).toEqual([0, 0]);
    expect([await rows("rollup_folds"), await rows("ledger_folds")]).toEqual([1, 1]);
    await retain(env.DB, TEN_O_CLOCK / 1000 + 400 * DAY_MS);
    expect([await rows("rollup_folds"), await rows("ledger_folds")]).toEqual([0, 0]);
  });

  it("sweeps objects that the catalog does not know, when they are old enough", async () => {
    await sealPieces("orphans", 1);
    const [known = ""] = await keysOf("orphans");
    const orphan = known.replace(/[^/]+$/, "lost.parquet");
    await env.BUCKET.put(orphan, "x");
    await env.BUCKET.put("other/file", "x");
    expect(await sweepOrphans(env, Date.now())).toBe(0);
    expect(await sweepOrphans(env, Date.now() + 2 * DAY_MS)).toBeGreaterThanOrEqual(1);
    expect([await exists(orphan), await exists(known), await exists("other/file")]).toEqual([false, true, true]);
  });
});

describe("maintenance", () => {
  it("seals every Ingester", async () => {
    await ingester("all-a").append(appendOf("all-a", [invocation("all-a")]));
    await ingester("all-b#1").append(appendOf("all-b", [invocation("all-b")]));
    const { failed } = await sealAll(env);
    expect(failed).toEqual([]);
    expect([(await sealed("all-a")).rows, (await sealed("all-b")).rows]).toEqual([1, 1]);
  });

  it("goes on when one part fails, and says which", async () => {
    const bucket = new Proxy(env.BUCKET, {
      get: () => () => {
        throw new Error("R2 is away");
      },
    });
    await sealPieces("maintain", 4);
    const hourly = await runHourly({ ...env, BUCKET: bucket }, NOW);
    expect(hourly.errors).toEqual([expect.stringMatching(/compaction: maintain.*R2 is away/)]);
    expect(hourly.folded).toMatchObject({ more: false });
    expect((await runDaily({ ...env, BUCKET: bucket }, NOW)).errors).toEqual([expect.stringContaining("R2 is away")]);
    expect(await sealed("maintain")).toMatchObject({ rows: 12 });
  });
});
