import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import { ANSWER_BYTES, HARD_EVENTS, SOFT_EVENTS } from "../../../workers/buffer/limits.ts";
import type { Log } from "../../../workers/buffer/write-ahead-log.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { RollupDelta } from "../../../workers/event/rollup.ts";
import { appendOf, ingester, invocation, TEN_O_CLOCK } from "./support.ts";

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };

describe("append", () => {
  it("answers with events that are readable at once, and after an eviction", async () => {
    const stub = ingester("append-read");
    const request = appendOf("append-read", [invocation("append-read"), invocation("append-read")]);
    expect(await stub.append(request)).toEqual({ ok: true, shards: 1 });
    await evictDurableObject(stub);
    const { batches, more } = await stub.unsealed(ALL);
    expect(more).toBe(false);
    expect(batches.map((b) => [b.rows, b.batch])).toEqual([[2, request.batch]]);
    const { entries } = await stub.unsealedRollups();
    expect((JSON.parse(entries[0]?.rollups ?? "") as RollupDelta[])[0]?.requests).toBe(2);
    expect(await stub.status()).toMatchObject({ script: "append-read", unsealedRows: 2, sealFailures: 0 });
  });

  it("counts a batch that is sent twice once, also after an eviction and after it was sealed", async () => {
    const stub = ingester("append-twice");
    const request = appendOf("append-twice", [invocation("append-twice")]);
    await stub.append(request);
    await stub.append(request);
    await evictDurableObject(stub);
    await stub.append(request);
    expect((await stub.status()).unsealedRows).toBe(1);
    await stub.seal();
    expect(await stub.append(request)).toMatchObject({ ok: true });
    await evictDurableObject(stub);
    expect(await stub.append(request)).toMatchObject({ ok: true });
    expect((await stub.status()).unsealedRows).toBe(0);
  });

  it("reads by time, and after an id", async () => {
    const stub = ingester("append-time");
    const minute = 60_000_000;
    for (const m of [0, 1, 2])
      await stub.append(appendOf("append-time", [invocation("append-time", TEN_O_CLOCK + m * minute)]));
    const middle = await stub.unsealed({ from: TEN_O_CLOCK + minute, to: TEN_O_CLOCK + 2 * minute });
    expect(middle.batches.map((b) => b.minTime)).toEqual([TEN_O_CLOCK + minute]);
    const later = await stub.unsealed({ ...ALL, afterId: middle.batches[0]?.id ?? 0 });
    expect(later.batches.map((b) => b.minTime)).toEqual([TEN_O_CLOCK + 2 * minute]);
  });

  it("keeps a batch longer than a row of SQLite may be", async () => {
    const stub = ingester("append-long");
    const text = "naïve 😀 ".repeat(200_000);
    const request = appendOf("append-long", [invocation("append-long", TEN_O_CLOCK, { message: text })]);
    await stub.append(request);
    const longest = await runInDurableObject(stub, (_: Ingester, state) => {
      const tables = state.storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'");
      const name = tables.toArray()[0]?.name;
      const row = state.storage.sql.exec<{ n: number }>(
        `SELECT max(n) AS n FROM (SELECT length(CAST(batch AS BLOB)) AS n FROM ${name}
         UNION ALL SELECT length(CAST(text AS BLOB)) FROM parts)`,
      );
      return row.one().n;
    });
    expect(longest).toBeLessThan(2_000_000);
    const { batches } = await stub.unsealed(ALL);
    expect(decodeBatch(batches[0]?.batch ?? "").columns.get("message")).toMatchObject({ dict: [text] });
    await stub.seal();
    expect(await stub.status()).toMatchObject({ unsealedRows: 0, quarantined: 0 });
  });

  it("cuts a long answer, to be continued after its last id", async () => {
    const stub = ingester("append-pages");
    const message = "x".repeat(ANSWER_BYTES / 3);
    const ids: number[] = [];
    for (let n = 0; n < 4; n++) {
      await stub.append(
        appendOf("append-pages", [invocation("append-pages", TEN_O_CLOCK + n, { message: message + n })]),
      );
    }
    for (let afterId = 0, more = true; more; ) {
      const answer = await stub.unsealed({ ...ALL, afterId });
      expect(answer.batches.length).toBeGreaterThan(0);
      expect(answer.batches.reduce((sum, b) => sum + b.batch.length, 0)).toBeLessThanOrEqual(ANSWER_BYTES);
      ids.push(...answer.batches.map((b) => b.id));
      afterId = ids.at(-1) ?? 0;
      more = answer.more;
    }
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    // A log whose storage was lost must not use its former ids again: they start at the clock.
    expect(ids[0]).toBeGreaterThan(TEN_O_CLOCK / 1000);
  });

  it("sheds what is not essential when it holds too much, and nothing of what it took", async () => {
    const stub = ingester("append-overload");
    const events = () => [invocation("append-overload")];
    await stub.append(appendOf("append-overload", events()));
    const pretend = (rows: number) =>
      runInDurableObject(stub, (instance: Ingester) => {
        const { log } = instance as unknown as { log: Log };
        for (const chunk of log.chunks) chunk.rows = rows;
      });
    await pretend(SOFT_EVENTS);
    expect(await stub.append(appendOf("append-overload", events()))).toMatchObject({ ok: false, reason: "overloaded" });
    expect(await stub.append(appendOf("append-overload", events(), { essential: true }))).toMatchObject({ ok: true });
    expect(await stub.append(appendOf("append-overload", []))).toMatchObject({ ok: true });
    await pretend(HARD_EVENTS);
    expect(await stub.append(appendOf("append-overload", events(), { essential: true }))).toMatchObject({ ok: false });
    await evictDurableObject(stub);
    expect((await stub.unsealed(ALL)).batches).toHaveLength(2);
    expect(await stub.append(appendOf("append-overload", events()))).toMatchObject({ ok: true });
  });

  it("announces in D1 that it has unsealed data, and takes it back when all is sealed", async () => {
    const stub = ingester("append-open");
    const open = async () =>
      (await env.DB.prepare("SELECT open FROM shards WHERE shard = 'append-open'").first<{ open: number }>())?.open;
    expect(await open()).toBeUndefined();
    await stub.append(appendOf("append-open", [invocation("append-open")]));
    expect(await open()).toBeGreaterThan(0);
    const first = await open();
    await evictDurableObject(stub);
    await stub.append(appendOf("append-open", [invocation("append-open")]));
    expect(await open()).toBe(first);
    await evictDurableObject(stub);
    await stub.seal();
    expect(await open()).toBe(0);
    await evictDurableObject(stub);
    await stub.append(appendOf("append-open", [invocation("append-open")]));
    expect(await open()).toBeGreaterThan(0);
  });
});

it("acknowledges nothing that could not be written, and starts anew from what is on disk", async () => {
  const stub = ingester("append-full-disk");
  const request = appendOf("append-full-disk", [invocation("append-full-disk")]);
  await stub.append(appendOf("append-full-disk", [invocation("append-full-disk")]));
  await runInDurableObject(stub, (_: Ingester, state) => {
    const name = state.storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'")
      .one();
    state.storage.sql.exec(
      `CREATE TRIGGER full AFTER INSERT ON ${name.name} BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
    );
  });
  const answer = await ingester("append-full-disk")
    .append(request)
    .catch((error: Error) => error.message);
  expect(answer).toMatch(/disk full/);
  const again = ingester("append-full-disk");
  expect((await again.unsealed(ALL)).batches).toHaveLength(1);
  await runInDurableObject(again, (_: Ingester, state) => state.storage.sql.exec("DROP TRIGGER full").toArray());
  expect(await again.append(request)).toMatchObject({ ok: true });
  expect((await again.unsealed(ALL)).batches).toHaveLength(2);
});
