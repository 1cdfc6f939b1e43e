/** Whatever happens in whatever order: every acknowledged event is visible exactly once, at every moment. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compact } from "../../../workers/store/compaction.ts";
import { foldCounts } from "../../../workers/store/counts/folding.ts";
import { readRollups } from "../../../workers/store/counts/read.ts";
import {
  appendOf,
  failingBucket,
  failingDb,
  ingester,
  invocation,
  sealed,
  TEN_O_CLOCK,
  visible,
  withStores,
} from "./support.ts";

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("append" as const), rows: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("repeat" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("seal" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      store: fc.constantFrom("R2", "D1"),
      fault: fc.constantFrom("before" as const, "after" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fold" as const) }) },
);

const HOUR_MS = 3_600_000;
const LATER = TEN_O_CLOCK / 1000 + 2 * HOUR_MS;
let runs = 0;

it("loses and doubles nothing over any sequence of appends, seals, faults, restarts, compactions and folds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const script = `any-${++runs}`;
      const stub = ingester(script);
      let acknowledged = 0;
      let last: ReturnType<typeof appendOf> | undefined;
      let n = 0;
      for (const s of steps) {
        if (s.do === "append") {
          const events = Array.from({ length: s.rows }, () => invocation(script, TEN_O_CLOCK + n++));
          last = appendOf(script, events);
          if ((await stub.append(last)).ok) acknowledged += s.rows;
        } else if (s.do === "repeat" && last !== undefined) await stub.append(last);
        else if (s.do === "seal") await stub.seal();
        else if (s.do === "heal") await withStores(stub, {});
        else if (s.do === "evict" && n > 0) await evictDurableObject(stub);
        else if (s.do === "compact") await compact(env, LATER);
        else if (s.do === "fold") await foldCounts(env.DB);
        else if (s.do === "break") {
          await withStores(stub, s.store === "R2" ? { BUCKET: failingBucket(s.fault) } : { DB: failingDb(s.fault) });
        }
        expect(await visible(script), `after ${JSON.stringify(s)}`).toBe(acknowledged);
      }
      await withStores(stub, {});
      await stub.seal();
      expect(await sealed(script)).toMatchObject({
        rows: acknowledged,
        received: acknowledged,
        requests: acknowledged,
      });
      for (const hours of [1, 24, 72]) {
        const range = { from: LATER - (hours + 2) * HOUR_MS, to: LATER, script };
        const { rows } = await readRollups(env, range);
        expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(acknowledged);
      }
    }),
    { numRuns: 12 },
  );
}, 90_000);
