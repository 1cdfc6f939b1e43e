/** The feed against real Ingesters: what is appended, sealed, sent twice, and read by an object that is evicted in between. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import type { Cell, Evidence } from "../../../workers/rollouts/contract.ts";
import { Feed, type Rollout } from "../../../workers/rollouts/evidence/feed.ts";
import type { RolloutGuard } from "../../../workers/rollouts/guard.ts";
import { appendOf, ingester, invocation } from "../buffer/support.ts";

const MINUTE_MS = 60_000;
/** The Ingesters go by their own clock, so the rollouts of these tests begin now. */
const BEGIN = Date.now() - (Date.now() % MINUTE_MS);
const AT_US = BEGIN * 1000;
const OLD = "11111111-1111-4111-8111-111111111111";
const NEW = "22222222-2222-4222-8222-222222222222";

const guard = (script: string): DurableObjectStub<RolloutGuard> => env.ROLLOUTS.getByName(`feed of ${script}`);

/** A feed in the object's own storage, as the guard makes one; a new one each time, as after an eviction. */
async function withFeed<T>(script: string, work: (feed: Feed) => Promise<T> | T): Promise<T> {
  return runInDurableObject(guard(script), async (_, state) => work(new Feed(state.storage, env)));
}

const rolloutOf = (script: string, more: Partial<Rollout> = {}): Rollout => ({
  ...{ id: `r-${script}`, script, old: OLD, new: NEW, since: BEGIN },
  ...more,
});

function look(script: string, now = Date.now(), more: Partial<Rollout> = {}): Promise<Evidence> {
  return withFeed(script, async (feed) => {
    feed.begin(rolloutOf(script, more));
    await feed.look(now);
    return feed.evidence();
  });
}

const of = (script: string, version: string, more: Partial<TailraceEvent> = {}, time = AT_US) =>
  invocation(script, time, { version_id: version, ...more });

function totals({ cells }: Pick<Evidence, "cells">, arm: Cell["arm"]) {
  const own = cells.filter((c) => c.arm === arm);
  const sum = (of: (cell: Cell) => number) => own.reduce((n, cell) => n + of(cell), 0);
  return {
    n: sum((c) => c.n),
    failed: sum((c) => c.failed),
    left: sum((c) => c.left),
    collateral: sum((c) => c.collateral),
  };
}

describe("feed", () => {
  it("counts each invocation once, by arm and class, however often it looks and whatever is sent twice", async () => {
    const script = "evidence-once";
    const stub = ingester(script);
    const batch = appendOf(script, [
      of(script, OLD),
      of(script, OLD, { status: 500 }),
      of(script, OLD, { outcome: "canceled", status: undefined }),
      of(script, NEW, { outcome: "exception", status: undefined }),
      of(script, NEW, { event_type: "queue", status: undefined }),
      of(script, NEW, { event_type: "rpc", entrypoint: "Room", durable_object_id: "a", status: undefined }),
      of(script, NEW, { event_type: "scheduled", status: undefined }),
    ]);
    await stub.append(batch);
    await look(script);
    await stub.append(batch);
    await stub.append(appendOf(script, [of(script, NEW)]));
    await look(script);
    const evidence = await look(script);
    expect(totals(evidence, "old")).toEqual({ n: 2, failed: 1, left: 1, collateral: 0 });
    expect(totals(evidence, "new")).toEqual({ n: 5, failed: 1, left: 0, collateral: 0 });
    const classes = evidence.cells.filter((c) => c.arm === "new").map((c) => [c.class, c.n]);
    expect(classes.sort()).toEqual([
      ["durable_object", 1],
      ["queue", 1],
      ["request", 2],
      ["scheduled", 1],
    ]);
    expect(evidence.sight.blind).toEqual([]);
  });

  it("loses nothing that is sealed between two looks", async () => {
    const script = "evidence-sealed";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, OLD)]));
    await look(script);
    for (let i = 0; i < 3; i++) {
      await stub.append(appendOf(script, [of(script, NEW, { status: 500 })]));
      await stub.seal();
    }
    await stub.append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script);
    expect(totals(evidence, "new")).toMatchObject({ n: 4, failed: 3 });
    expect(evidence.sight.notes).toEqual([]);
  });

  it("says how much was sealed while nobody looked, and counts on from there", async () => {
    const script = "evidence-gap";
    const stub = ingester(script);
    await stub.append(appendOf(script, [of(script, OLD)]));
    await look(script);
    // What is held for it is lost with the Ingester's memory.
    await evictDurableObject(stub);
    await stub.append(appendOf(script, [of(script, NEW)]));
    await stub.append(appendOf(script, [of(script, NEW)]));
    await stub.seal();
    await stub.append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script);
    expect(totals(evidence, "new").n).toBe(1);
    expect(evidence.sight.blind).toEqual([]);
    expect(evidence.sight.notes.join()).toContain("2 batches of telemetry went to the store");
  });

  it("asks every shard, also one that joins while it runs", async () => {
    const script = "evidence-shards";
    await ingester(script).append(appendOf(script, [of(script, OLD)]));
    await ingester(`${script}#1`).append(appendOf(script, [of(script, NEW)]));
    await look(script);
    await ingester(`${script}#2`).append(appendOf(script, [of(script, NEW)]));
    const evidence = await look(script, Date.now() + 20_000);
    expect([totals(evidence, "old").n, totals(evidence, "new").n]).toEqual([1, 2]);
  });

  it("leaves out other versions, none, times that cannot be, and the new version from before the rollout", async () => {
    const script = "evidence-others";
    const hour = 3_600_000_000;
    await ingester(script).append(
      appendOf(script, [
        of(script, "33333333-3333-4333-8333-333333333333"),
        of(script, "", {}),
        of(script, NEW, {}, AT_US - 90_000_000),
        of(script, OLD, {}, AT_US - 90_000_000),
        of(script, OLD, {}, AT_US - hour),
        of(script, NEW, {}, AT_US + hour),
        of(script, NEW),
      ]),
    );
    const evidence = await look(script);
    expect([totals(evidence, "old").n, totals(evidence, "new").n]).toEqual([1, 1]);
    expect(evidence.sight.notes.join()).toMatch(/1 invocation does not say.*1 invocation was of other versions/);
  });

  it("keeps what came before a change of the split apart from what came after", async () => {
    const script = "evidence-parts";
    const stub = ingester(script);
    const minute = Date.now() - (Date.now() % MINUTE_MS);
    const us = minute * 1000;
    await stub.append(appendOf(script, [of(script, OLD, {}, us), of(script, NEW, {}, us)]));
    await look(script);
    await withFeed(script, (feed) => feed.splitChanged(Date.now()));
    await stub.append(appendOf(script, [of(script, NEW, {}, us)]));
    const { cells } = await look(script);
    const parts = cells.filter((c) => c.minute * 1000 === minute).map((c) => [c.arm, c.part ?? 0, c.n]);
    // Within the same minute, unless the test ran over its end.
    if (Date.now() < minute + MINUTE_MS) {
      expect(parts.sort()).toEqual([
        ["new", 0, 1],
        ["new", 1, 1],
        ["old", 0, 1],
      ]);
    }
  });

  it("counts the death of an isolate once, wherever its victims are told of", async () => {
    const script = "evidence-deaths";
    const victim = (ms: number, colo = "AMS") =>
      of(script, NEW, { outcome: "exceededMemory", status: undefined, colo, duration: ms }, AT_US);
    await ingester(script).append(
      appendOf(
        script,
        Array.from({ length: 300 }, (_, i) => victim(1000 + (i % 40))),
      ),
    );
    await look(script);
    // Another shard, another append, the same death; and another place.
    await ingester(`${script}#1`).append(appendOf(script, [victim(1010), victim(1010, "LHR"), of(script, NEW)]));
    const evidence = await look(script, Date.now() + 20_000);
    expect(totals(evidence, "new")).toEqual({ n: 3, failed: 2, left: 0, collateral: 300 });
  });

  it("forgets a rollout, and nothing of another", async () => {
    const script = "evidence-forget";
    await ingester(script).append(appendOf(script, [of(script, NEW)]));
    await look(script);
    const other = { id: "r-other", since: BEGIN + 1 };
    await look(script, Date.now(), other);
    await withFeed(script, (feed) => {
      expect(feed.points(MINUTE_MS, `r-${script}`)).toHaveLength(1);
      feed.forget("r-other");
      expect(feed.points(MINUTE_MS, "r-other")).toEqual([]);
      expect(feed.points(MINUTE_MS)).toHaveLength(1);
      feed.forget(`r-${script}`);
      expect(feed.evidence().cells).toEqual([]);
    });
  });
});
