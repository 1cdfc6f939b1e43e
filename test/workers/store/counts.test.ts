import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runBatch } from "../../../workers/db/batch.ts";
import { foldCounts } from "../../../workers/store/counts/folding.ts";
import { readCompleteness, readCounts, readLedger, readRollups } from "../../../workers/store/counts/read.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";

const HOUR_MS = 3_600_000;
/** The start of an hour some hours ago: inside every horizon. */
const START = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS;
const at = (minutes: number) => (START + minutes * 60_000) * 1000;

async function requests(script: string, hours: number): Promise<number> {
  const { rows } = await readRollups(env, {
    from: START + 3 * HOUR_MS - hours * HOUR_MS,
    to: START + 4 * HOUR_MS,
    script,
  });
  return rows.reduce((sum, row) => sum + row.requests, 0);
}

const RANGES = [4, 24, 24 * 10];

describe("reading counts", () => {
  it("answers the same whether they are unsealed, sealed, folded, or all of these", async () => {
    const script = "counts-all";
    const stub = ingester(script);
    const all = async () => Promise.all(RANGES.map((hours) => requests(script, hours)));
    await stub.append(appendOf(script, [invocation(script, at(0)), invocation(script, at(90))]));
    expect(await all()).toEqual([2, 2, 2]);
    await stub.seal();
    expect(await all()).toEqual([2, 2, 2]);
    await foldCounts(env.DB);
    expect(await all()).toEqual([2, 2, 2]);
    // Late: its hour is folded already.
    await stub.append(appendOf(script, [invocation(script, at(1))]));
    expect(await all()).toEqual([3, 3, 3]);
    await stub.seal();
    expect(await all()).toEqual([3, 3, 3]);
    await stub.append(appendOf(script, [invocation(script, at(2))]));
    await foldCounts(env.DB);
    expect(await all()).toEqual([4, 4, 4]);
    await foldCounts(env.DB);
    expect(await all()).toEqual([4, 4, 4]);
  });

  it("keeps distributions mergeable through folding", async () => {
    const script = "counts-sketch";
    const stub = ingester(script);
    for (const duration of [10, 20, 1000]) {
      await stub.append(appendOf(script, [invocation(script, at(duration / 10), { duration })]));
      await stub.seal();
    }
    await foldCounts(env.DB);
    const { rows, stepMs } = await readRollups(env, { from: START - 100 * HOUR_MS, to: START + 3 * HOUR_MS, script });
    expect(stepMs).toBe(HOUR_MS);
    const top = Math.max(...rows.map((row) => row.duration.quantile(1) ?? 0));
    expect(top / 1000).toBeCloseTo(1, 1);
    expect(rows.reduce((sum, row) => sum + row.duration.weight, 0)).toBe(3);
  });

  it("folds once when another fold overtakes it at any point", async () => {
    const script = "counts-race";
    const stub = ingester(script);
    for (let overtakenAt = 1; overtakenAt <= 8; overtakenAt++) {
      await stub.append(appendOf(script, [invocation(script, at(0)), invocation(script, at(5))]));
      await stub.seal();
      let batches = 0;
      const overtaken = new Proxy(env.DB, {
        get(on, property) {
          if (property !== "batch") return Reflect.get(on, property, on).bind(on) as unknown;
          return async (statements: D1PreparedStatement[]) => {
            if (++batches === overtakenAt) await foldCounts(env.DB);
            return env.DB.batch(statements);
          };
        },
      });
      await foldCounts(overtaken);
      expect(await Promise.all(RANGES.map((hours) => requests(script, hours)))).toEqual(
        RANGES.map(() => 2 * overtakenAt),
      );
    }
  });

  it("counts what is sealed while it asks once", async () => {
    const script = "counts-meanwhile";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script, at(0))]));
    const sealing = new Proxy(env.INGESTER, {
      get: () => () => ({
        async unsealedRollups() {
          const answer = await stub.unsealedRollups();
          await stub.seal();
          await stub.append(appendOf(script, [invocation(script, at(1))]));
          return answer;
        },
      }),
    });
    const { rollups, ledger } = await readCounts(
      { DB: env.DB, INGESTER: sealing },
      { from: START, to: START + HOUR_MS, script },
    );
    expect(rollups.rows.map((row) => row.requests)).toEqual([1]);
    expect(ledger.rows.map((row) => row.counts.received)).toEqual([1]);
  });

  it("says how complete a range is, and how far sealing is behind", async () => {
    const script = "counts-ledger";
    const minute = START / 1000;
    const ledger = [{ minute, script, counts: { received: 10, kept: 6, sampled_out: 2, rate_limited: 2, events: 9 } }];
    const stub = ingester(script);
    await stub.append(appendOf(script, [], { ledger }));
    const question = { from: START, to: START + HOUR_MS, script };
    const unsealed = await readCompleteness(env, question);
    expect(unsealed).toMatchObject({ ratio: 0.8, received: 10, kept: 6, sampledOut: 2, rateLimited: 2 });
    // By when it arrived: replayed events of long ago are not behind.
    expect(unsealed.behindMs).toBeGreaterThanOrEqual(0);
    expect(unsealed.behindMs).toBeLessThan(HOUR_MS);
    await stub.seal();
    expect(await readCompleteness(env, question)).toMatchObject({ ratio: 0.8, received: 10, behindMs: 0 });
    expect((await readLedger(env, { ...question, script: "counts-nobody" })).rows).toEqual([]);
  });

  it("names an Ingester that does not answer", async () => {
    const script = "counts-missing";
    await runBatch(env.DB, []);
    await ingester(script).append(appendOf(script, [invocation(script, at(0))]));
    const broken = new Proxy(env.INGESTER, {
      get: () => () => ({ unsealedRollups: () => Promise.reject(new Error("it is stuck")) }),
    });
    const { rollups, ledger } = await readCounts(
      { DB: env.DB, INGESTER: broken },
      { from: START, to: START + HOUR_MS, script },
    );
    expect(rollups).toMatchObject({ rows: [], missing: ["counts-missing: it is stuck"] });
    expect(ledger.missing).toEqual(rollups.missing);
  });
});
