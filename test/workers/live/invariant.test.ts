/**
 * Whatever is pushed, at whatever rate, to whoever reads how slowly, with the
 * hub's memory lost in between: what a viewer was sent and what it was told that it
 * was not shown are together what its filter matched.
 */
import { evictDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { until } from "../buffer/support.ts";
import { type Hub, hubOf, Shard, type TestViewer, watch } from "./support.ts";

const event = fc.record({
  status: fc.constantFrom(200, 204, 404, 500),
  level: fc.constantFrom(undefined, "info", "error"),
  kind: fc.constantFrom("invocation" as const, "log" as const, "exception" as const),
  size: fc.constantFrom(0, 10, 3_000, 90_000),
});
type Made = typeof event extends fc.Arbitrary<infer T> ? T : never;

const FILTERS: Record<string, (e: Made) => boolean> = {
  "": () => true,
  "status:>=400": (e) => e.status >= 400,
  "level:error -status:500": (e) => e.level === "error" && e.status !== 500,
  "kind:log": (e) => e.kind === "log",
};

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ push: fc.array(fc.array(event, { maxLength: 40 }), { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ evict: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ ack: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ refilter: fc.nat(3), q: fc.constantFrom(...Object.keys(FILTERS)) }) },
);

interface Watching {
  viewer: TestViewer;
  q: string;
  expected: number;
}

/** It may not be there at all: evicted just before. */
const evict = (hub: Hub) => evictDurableObject(hub, { webSockets: "hibernate" }).catch(() => undefined);

let runs = 0;

async function begin(hub: Hub, script: string, q: string, rate: number, reads: boolean): Promise<Watching> {
  const viewer = await watch(hub, { script, q, rate });
  viewer.acks = reads;
  return { viewer, q, expected: 0 };
}

const toEvent = (script: string, at: number, { status, level, kind, size }: Made): TailraceEvent => ({
  ...{ script, time: 1_790_000_000_000_000 + at, kind, status, outcome: "ok", sample_weight: 1 },
  ...{ invocation_id: `i${Math.floor(at / 3)}`, seq: at % 3 },
  ...(level === undefined ? {} : { level }),
  ...(size === 0 ? {} : { message: "m".repeat(size) }),
});

describe("sent and not shown", () => {
  it("are together what matched, for every viewer", async () => {
    const viewers = fc.array(
      fc.record({
        q: fc.constantFrom(...Object.keys(FILTERS)),
        rate: fc.constantFrom(1, 20, 5_000),
        reads: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(viewers, fc.array(step, { maxLength: 12 }), async (asked, steps) => {
        const script = `invariant-${runs++}`;
        const hub = hubOf(script);
        const shard = new Shard(script);
        const all = await Promise.all(asked.map(({ q, rate, reads }) => begin(hub, script, q, rate, reads)));
        let at = 0;
        for (const one of steps) {
          if ("push" in one) {
            const entries = one.push.map((events) => shard.entry(events.map((e) => toEvent(script, at++, e))));
            await hub.push(shard.push(entries.filter(({ rows }) => rows > 0)));
            for (const w of all) w.expected += one.push.flat().filter(FILTERS[w.q] as (e: Made) => boolean).length;
          } else if ("evict" in one) await evict(hub);
          else if ("ack" in one) all[one.ack]?.viewer.ack();
          else {
            const changed = all[one.refilter];
            if (changed === undefined) continue;
            const known = changed.viewer.of("ready").length;
            changed.viewer.say({ type: "filter", q: one.q });
            await changed.viewer.hears("ready", known + 1);
            changed.q = one.q;
          }
        }
        for (const w of all) w.viewer.acks = true;
        for (const w of all) {
          await until(async () => {
            w.viewer.ack();
            return w.viewer.matched >= w.expected;
          });
          const { viewer } = w;
          expect([viewer.matched, viewer.unchecked]).toEqual([w.expected, 0]);
          expect(viewer.events.length + viewer.notShown).toBe(viewer.matched);
          for (const { notShown } of viewer.frames) {
            const kinds = Object.values(notShown?.kinds ?? {}).reduce((a, b) => a + b, 0);
            expect(kinds).toBe(notShown?.events ?? 0);
            expect(notShown?.errors ?? 0).toBeLessThanOrEqual(notShown?.events ?? 0);
          }
          viewer.socket.close(1000);
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20_000 },
    );
  }, 60_000);
});
