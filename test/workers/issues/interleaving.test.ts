/** Whatever happens in whatever order: every occurrence that was acknowledged is counted once, everywhere. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import { mergeIssues, unmerge } from "../../../workers/errors/issues/merge.ts";
import { failingDb, ingester, withStores } from "../buffer/support.ts";
import { appendDeltas, counts, delta, everywhere, failingToCount, issuesOf, notificationsOf, T0 } from "./support.ts";

const SHARDS = 2;
const which = { shard: fc.nat({ max: SHARDS - 1 }) };

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      ...which,
      deltas: fc.array(
        fc.record({
          key: fc.nat({ max: 3 }),
          version: fc.nat({ max: 2 }),
          waits: fc.boolean(),
          count: fc.integer({ min: 1, max: 5 }),
          /** Occurrences with an id of their own, which may come again. */
          ids: fc.array(fc.nat({ max: 5 }), { maxLength: 2 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), ...which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("flush" as const), ...which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("seal" as const), ...which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      ...which,
      fault: fc.constantFrom("before" as const, "after" as const),
      /** Or does D1 answer questions? */
      all: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("heal" as const), ...which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("evict" as const), ...which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("merge" as const), ...which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unmerge" as const), ...which }) },
);

let runs = 0;

it("loses and doubles nothing over any sequence of appends, retries, faults, restarts, seals and merges", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const script = `interleaving-${runs++}`;
      const stubs = Array.from({ length: SHARDS }, (_, n) => ingester(n === 0 ? script : `${script}#${n}`));
      const sent: (AppendRequest | undefined)[] = [];
      let expected = 0;
      // Ids are remembered per shard: a replay reaches the shard that has it.
      const seen = new Set<string>();
      for (const s of steps) {
        const stub = stubs[s.shard] as (typeof stubs)[number];
        switch (s.do) {
          case "append": {
            const deltas = s.deltas.map(({ key, version, waits, count, ids }, n) => {
              const group = `v1-${script}-${key}`;
              const fingerprint = waits ? `u1-${script}-${key}-${version}` : group;
              const versionId = `version-${version}`;
              const own = [...new Set(ids)].map((id) => `${fingerprint}/${s.shard}/${id}`);
              expected += count + own.filter((id) => !seen.has(id)).length;
              for (const id of own) seen.add(id);
              const at = T0 + n;
              return delta({
                script,
                fingerprint,
                group,
                versionId,
                at,
                count: count + own.length,
                awaitsMap: waits ? versionId : "",
                ...(own.length === 0 ? {} : { replayable: own.flatMap((id) => [id, 1, T0 / 1000]) }),
              });
            });
            sent[s.shard] = appendDeltas(script, deltas);
            await stub.append(sent[s.shard] as AppendRequest);
            break;
          }
          case "repeat":
            if (sent[s.shard] !== undefined) await stub.append(sent[s.shard] as AppendRequest);
            break;
          case "flush":
            await stub.flushIssues();
            break;
          case "seal":
            await stub.seal();
            break;
          case "break":
            await withStores(stub, { DB: s.all ? failingDb(s.fault) : failingToCount(s.fault) });
            break;
          case "heal":
            await withStores(stub, {});
            break;
          case "evict":
            // One that does not run cannot be evicted.
            await stub.status();
            await evictDurableObject(stub);
            break;
          case "merge": {
            const ids = (await issuesOf(script)).map((issue) => issue.id);
            const into = ids[s.shard];
            if (into !== undefined) await mergeIssues(env, { ids: ids.slice(0, 3), into }, "ana", T0);
            break;
          }
          case "unmerge": {
            const [first] = (await issuesOf(script)).filter((issue) => issue.merged_into === null);
            if (first !== undefined) await unmerge(env, first.id, {}, "ana", T0);
            break;
          }
        }
      }
      for (const stub of stubs) {
        await withStores(stub, {});
        expect(await stub.flushIssues()).toBe(true);
      }
      expect(await counts(script)).toEqual(everywhere(expected));
      const issues = await issuesOf(script);
      const told = await notificationsOf(script);
      expect(new Set(told.map((n) => n.issue_id)).size).toBe(told.length);
      expect(told.length).toBe(issues.length);
      for (const stub of stubs) expect(await stub.seal()).toEqual({ ok: true });
      for (const stub of stubs) expect(await stub.status()).toMatchObject({ quarantined: 0, flushFailures: 0 });
    }),
    { numRuns: 15 },
  );
}, 90_000);
