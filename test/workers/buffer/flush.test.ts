/** Issue deltas from the log to D1: once each, soon, and without keeping anything else waiting. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import {
  all,
  appendDeltas,
  counts,
  delta,
  everywhere,
  failingToCount,
  issuesOf,
  notificationsOf,
  occur,
  onlyIssue,
  T0,
} from "../issues/support.ts";
import { appendOf, failingDb, ingester, invocation, sealed, TEN_O_CLOCK, until, withStores } from "./support.ts";

const mark = async (shard: string) =>
  (await all<{ n: number }>("SELECT issues_through AS n FROM shards WHERE shard = ?", shard))[0]?.n ?? 0;

describe("flush", () => {
  it("brings what failed to D1 by its alarm, soon after the first append", async () => {
    const script = "flush-alarm";
    const stub = ingester(script);
    await stub.append(appendDeltas(script, [delta({ script, count: 3 })]));
    const due = await runInDurableObject(stub, (_: Ingester, state) => state.storage.getAlarm());
    expect((due ?? 0) - Date.now()).toBeLessThan(2_000);
    await until(async () => (await issuesOf(script)).length === 1);
    expect(await counts(script)).toEqual(everywhere(3));
    expect(await onlyIssue(script)).toMatchObject({ state: "unresolved", count: 3, first_version: "version-1" });
  });

  it("adds up a thousand occurrences and tells once", async () => {
    const script = "flush-thousand";
    const stub = ingester(script);
    const appends = Array.from({ length: 100 }, (_, n) =>
      stub.append(appendDeltas(script, [delta({ script, count: 10, at: T0 + n * 1000 })])),
    );
    await Promise.all(appends);
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(1_000));
    expect(await notificationsOf(script)).toMatchObject([{ kind: "issue.new", occasion: 0 }]);
    expect(await onlyIssue(script)).toMatchObject({ first_seen: T0, last_seen: T0 + 99_000 });
  });

  for (const fault of ["before", "after"] as const) {
    for (const restart of [false, true]) {
      it(`counts once when D1 ${fault === "before" ? "refuses" : "takes the batch, but the answer is lost"}${restart ? ", and the object restarts" : ""}`, async () => {
        const script = `flush-fault-${fault}-${restart}`;
        const stub = ingester(script);
        await withStores(stub, { DB: failingToCount(fault) });
        await stub.append(appendDeltas(script, [delta({ script })]));
        expect(await stub.flushIssues()).toBe(false);
        expect((await counts(script)).issues).toBe(fault === "after" ? 1 : 0);
        expect(await stub.status()).toMatchObject({ flushFailures: 1, lastError: expect.stringMatching(/is away/) });
        // More came before the retry: the next batch reaches further than the one whose fate is unknown.
        await stub.append(appendDeltas(script, [delta({ script, count: 5 })]));
        if (restart) await evictDurableObject(stub);
        else await withStores(stub, {});
        expect(await stub.flushIssues()).toBe(true);
        expect(await counts(script)).toEqual(everywhere(6));
        expect(await notificationsOf(script)).toHaveLength(1);
        expect((await stub.status()).flushFailures).toBe(0);
      });
    }
  }

  it("counts once when a batch is applied long after it was given up and tried again with more", async () => {
    const script = "flush-late";
    const stub = ingester(script);
    const late: D1PreparedStatement[][] = [];
    const db = new Proxy(env.DB, {
      get(on, property) {
        if (property !== "batch") return Reflect.get(on, property, on).bind(on) as unknown;
        return async (statements: D1PreparedStatement[]) => {
          late.push(statements);
          if (statements.length < 5) return on.batch(statements);
          throw new Error("D1 is late");
        };
      },
    });
    await stub.append(appendDeltas(script, [delta({ script })]));
    await withStores(stub, { DB: db });
    expect(await stub.flushIssues()).toBe(false);
    await withStores(stub, {});
    await stub.append(appendDeltas(script, [delta({ script, count: 5 })]));
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(6));
    await runInDurableObject(stub, async () => {
      for (const statements of late) await env.DB.batch(statements);
    });
    expect(await counts(script)).toEqual(everywhere(6));
    expect(await notificationsOf(script)).toHaveLength(1);
  });

  it("acknowledges appends while D1 is away, and keeps the chunk until its issues are counted", async () => {
    const script = "flush-away";
    const stub = ingester(script);
    await withStores(stub, { DB: failingDb("before") });
    const request = appendOf(script, [invocation(script)], { issues: [delta({ script })] });
    expect(await stub.append(request)).toMatchObject({ ok: true });
    expect(await stub.seal()).toMatchObject({ ok: false });
    await withStores(stub, {});
    expect(await stub.seal()).toEqual({ ok: true });
    expect(await counts(script)).toEqual(everywhere(1));
    expect(await sealed(script)).toMatchObject({ rows: 1 });
    await evictDurableObject(stub);
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(1));
  });

  it("does not count an append that is tried again", async () => {
    const script = "flush-again";
    const request = appendDeltas(script, [delta({ script })]);
    const stub = ingester(script);
    await stub.append(request);
    await stub.flushIssues();
    await stub.append(request);
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(1));
  });

  it("takes many fingerprints in several batches", async () => {
    const script = "flush-many";
    const stub = ingester(script);
    for (let n = 0; n < 450; n += 1) {
      await stub.append(appendDeltas(script, [delta({ script, fingerprint: `v1-${script}-${n}` })]));
    }
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(450));
    expect(await issuesOf(script)).toHaveLength(450);
  });

  it("sets deltas aside that cannot be read, and counts the rest", async () => {
    const script = "flush-unreadable";
    const stub = ingester(script);
    const broken = { ...delta({ script }), count: "many" } as unknown as ReturnType<typeof delta>;
    await stub.append(appendDeltas(script, [broken]));
    await stub.append(appendDeltas(script, [delta({ script, count: 2 })]));
    expect(await stub.flushIssues()).toBe(true);
    expect(await counts(script)).toEqual(everywhere(2));
    expect((await stub.status()).quarantined).toBe(1);
    expect(await stub.seal()).toEqual({ ok: true });
  });

  it("finds the deltas that D1 refuses alone, sets them aside and counts the rest", async () => {
    const script = "flush-poison";
    const stub = ingester(script);
    for (let n = 0; n < 8; n++) {
      const poison = n === 5 ? { culprit: "poison" } : {};
      await stub.append(appendDeltas(script, [delta({ script, fingerprint: `v1-${script}-${n}`, ...poison })]));
    }
    await env.DB.exec(
      "CREATE TRIGGER poison BEFORE INSERT ON issues WHEN NEW.culprit = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END",
    );
    // Trying harder does not make it a poison sooner: D1 might be ill for a moment.
    for (let n = 0; n < 10; n++) await stub.flushIssues();
    expect((await stub.status()).quarantined).toBe(0);
    await until(async () => (await stub.status()).quarantined === 1);
    await until(async () => (await counts(script)).issues === 7);
    await env.DB.exec("DROP TRIGGER poison");
    expect(await counts(script)).toEqual(everywhere(7));
    expect((await stub.status()).quarantined).toBe(1);
    expect(await stub.seal()).toEqual({ ok: true });
  });

  it("sets nothing aside while D1 takes no writes at all", async () => {
    const script = "flush-read-only";
    const stub = ingester(script);
    await withStores(stub, { DB: failingToCount("before") });
    await stub.append(appendDeltas(script, [delta({ script })]));
    await until(async () => (await stub.status()).flushFailures >= 3);
    for (let n = 0; n < 5; n++) await stub.flushIssues();
    await withStores(stub, {});
    expect(await stub.flushIssues()).toBe(true);
    expect(await counts(script)).toEqual(everywhere(1));
    expect((await stub.status()).quarantined).toBe(0);
  });

  it("keeps deltas longer than a row of SQLite may be", async () => {
    const script = "flush-long";
    const stub = ingester(script);
    const stack = `Error: x\n${"    at naïve😀 (index.js:1:1)\n".repeat(10)}`;
    const deltas = Array.from({ length: 3_000 }, (_, n) =>
      delta({ script, fingerprint: `v1-${script}-${n % 50}`, exemplar: { ...delta({ script }).exemplar, stack } }),
    );
    await stub.append(appendDeltas(script, deltas));
    await evictDurableObject(stub);
    await stub.flushIssues();
    expect(await counts(script)).toEqual(everywhere(3_000));
  });

  it("goes on with a log that was begun before there were issues", async () => {
    const script = "flush-old-log";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script)]));
    await runInDurableObject(stub, (_: Ingester, state) => {
      const { sql } = state.storage;
      const { name } = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'").one();
      sql.exec(`ALTER TABLE ${name} DROP COLUMN issues`);
    });
    await evictDurableObject(stub);
    await stub.append(appendOf(script, [invocation(script)], { issues: [delta({ script })] }));
    expect((await stub.unsealed({ from: 0, to: Number.MAX_SAFE_INTEGER })).batches).toHaveLength(2);
    expect(await stub.seal()).toEqual({ ok: true });
    expect(await sealed(script)).toMatchObject({ rows: 2, requests: 2 });
    expect(await counts(script)).toEqual(everywhere(1));
  });

  it("starts where D1 says it is after its alarm was lost", async () => {
    const script = "flush-lost-alarm";
    const stub = ingester(script);
    await stub.append(appendDeltas(script, [delta({ script })]));
    await runInDurableObject(stub, (_: Ingester, state) => state.storage.deleteAlarm());
    await evictDurableObject(stub);
    await stub.status();
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await until(async () => (await counts(script)).issues === 1);
    expect(await mark(script)).toBeGreaterThan(0);
  });
});

describe("occurrences that may be sent again", () => {
  const replay = (script: string, ids: string[]) =>
    delta({
      script,
      count: ids.length,
      minutes: [T0 / 1000, ids.length],
      replayable: ids.flatMap((id) => [id, 1, T0 / 1000]),
    });

  it("count once per id, in one flush, in the next, and after a restart", async () => {
    const script = "flush-replay";
    await occur(script, [replay(script, ["a/1", "b/1"]), replay(script, ["b/1", "c/1"])]);
    expect(await counts(script)).toEqual(everywhere(3));
    await occur(script, [replay(script, ["a/1", "d/1"])]);
    expect(await counts(script)).toEqual(everywhere(4));
    await evictDurableObject(ingester(script));
    await occur(script, [replay(script, ["a/1", "b/1", "c/1", "d/1"])]);
    expect(await counts(script)).toEqual(everywhere(4));
  });

  it("count once when the answer of D1 was lost and the object restarts before it comes again", async () => {
    const script = "flush-replay-lost";
    const stub = ingester(script);
    await stub.append(appendDeltas(script, [replay(script, ["a/1"])]));
    await withStores(stub, { DB: failingToCount("after") });
    expect(await stub.flushIssues()).toBe(false);
    await evictDurableObject(stub);
    await occur(script, [replay(script, ["a/1", "b/1"])]);
    expect(await counts(script)).toEqual(everywhere(2));
  });
});

describe("versions", () => {
  const seen = (script: string) =>
    all<{ version_id: string; tag: string; first_seen: number }>(
      "SELECT version_id, tag, first_seen FROM versions WHERE script = ? ORDER BY version_id",
      script,
    );

  it("are registered at first sight, without waiting for a seal", async () => {
    const script = "flush-versions";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script, TEN_O_CLOCK, { version_tag: "one" })]));
    await until(async () => (await seen(script)).length === 1);
    expect(await seen(script)).toMatchObject([{ version_id: "v1", tag: "one" }]);
  });

  it("keep the moment of their first error when the minute is sealed", async () => {
    const script = "flush-version-moment";
    const stub = ingester(script);
    const at = T0 + 30_500;
    const events = [invocation(script, at * 1000)];
    await stub.append(appendOf(script, events, { issues: [delta({ script, versionId: "v1", at })] }));
    await stub.flushIssues();
    await stub.seal();
    expect(await seen(script)).toMatchObject([{ version_id: "v1", first_seen: at }]);
  });
});
