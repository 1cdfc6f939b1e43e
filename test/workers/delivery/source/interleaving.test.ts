/** Whatever happens in whatever order: who delivers sees every invocation once, whole and in the order of the log. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TailraceEvent } from "../../../../workers/event/event.ts";
import { compact } from "../../../../workers/store/compaction.ts";
import { appendOf, failingBucket, failingDb, ingester, TEN_O_CLOCK, withStores } from "../../buffer/support.ts";
import { addDestination, invoked, Reader, removeDestination } from "./support.ts";

const MINUTE_US = 60_000_000;
const HOUR_MS = 3_600_000;
const LATER = TEN_O_CLOCK / 1000 + 2 * HOUR_MS;

const bounds = fc.record({
  maxBytes: fc.constantFrom(1, 2_000, 100_000),
  maxRows: fc.constantFrom(1, 5, 1_000),
  commit: fc.constantFrom(0, 1, 2, 100),
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      invocations: fc.array(
        fc.record({
          logs: fc.integer({ min: 0, max: 3 }),
          failed: fc.boolean(),
          minute: fc.integer({ min: 0, max: 125 }),
        }),
        { maxLength: 4 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("append unreadable" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("read" as const), bounds, reader: fc.constantFrom(0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("seal" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      store: fc.constantFrom("R2", "D1"),
      fault: fc.constantFrom("before" as const, "after" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
);

beforeAll(() => addDestination("reader-any"));
afterAll(async () => {
  await removeDestination("reader-any");
});

let runs = 0;

it("each invocation comes once to a reader that commits, and at least once to one that crashes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const script = `reader-any-${++runs}`;
      const stub = ingester(script);
      const commits = new Reader(script);
      const crashes = new Reader(script);
      const errors = new Reader(script, true);
      const readers = [commits, crashes, errors];
      const expected = new Map<string, { entry: number; events: TailraceEvent[]; failed: boolean }>();
      let entry = 0;
      for (const s of steps) {
        if (s.do === "append") {
          entry += 1;
          const all = s.invocations.map((one) => {
            // Some of them reach over into the next hour.
            const events = invoked(script, TEN_O_CLOCK + one.minute * MINUTE_US, { ...one, logsAfter: MINUTE_US });
            expected.set(events[0]?.invocation_id ?? "", { entry, events, failed: one.failed });
            return events;
          });
          await stub.append(appendOf(script, all.flat()));
        } else if (s.do === "append unreadable") {
          await stub.append(appendOf(script, invoked(script, TEN_O_CLOCK), { batch: "{" }));
        } else if (s.do === "read") {
          const reader = readers[s.reader] as Reader;
          if (reader !== crashes) await reader.step(s.bounds, s.bounds.commit);
          else {
            const page = await reader.read(s.bounds);
            reader.delivered.push(...page.invocations);
            reader.position = page.after(Math.min(s.bounds.commit, page.invocations.length));
          }
        } else if (s.do === "seal") await stub.seal();
        else if (s.do === "heal") await withStores(stub, {});
        else if (s.do === "evict") {
          await stub.status();
          await evictDurableObject(stub);
        }
        if (s.do === "compact") await compact(env, LATER);
        else if (s.do === "break") {
          await withStores(stub, s.store === "R2" ? { BUCKET: failingBucket(s.fault) } : { DB: failingDb(s.fault) });
        }
      }
      for (const reader of readers) await reader.drain({ maxBytes: 3_000, maxRows: 7 });
      await withStores(stub, {});
      await stub.seal();
      const later = new Reader(script);
      await later.drain();

      const ids = [...expected.keys()].sort();
      expect(commits.ids.toSorted()).toEqual(ids);
      expect(later.ids.toSorted()).toEqual(ids);
      expect([...new Set(crashes.ids)].sort()).toEqual(ids);
      expect(errors.ids.toSorted()).toEqual(ids.filter((id) => expected.get(id)?.failed));
      for (const { delivered } of [commits, later, errors]) {
        for (const { id, events } of delivered) expect(events).toEqual(expected.get(id)?.events);
        const entries = delivered.map(({ id }) => expected.get(id)?.entry ?? 0);
        expect(entries).toEqual(entries.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);
