import { describe, expect, test } from "vitest";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import type { PlaceMap, PlaceMaps } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { WINDOW_MS } from "../../../workers/ingest/group-commit.ts";
import { MAX_UNWATCHED } from "../../../workers/ingest/live/extras.ts";
import { LeaseBook } from "../../../workers/ingest/live/lease-book.ts";
import { type Lease, type LiveExtras, tailHub } from "../../../workers/live/contract.ts";
import { logged, STACK, start, thrown } from "./grouping-support.ts";
import { type Bench, bench, fetchItem, NOW_MS } from "./support.ts";

const FAR = NOW_MS + 3_600_000;
const own = (more: Partial<Lease> = {}): Lease => ({ hub: tailHub("shop"), until: FAR, items: true, ...more });
const all = (more: Partial<Lease> = {}): Lease => ({ hub: tailHub(null), until: FAR, items: false, ...more });

async function run(b: Bench, ...items: unknown[]): Promise<void> {
  const settled = start(b, ...items);
  await b.clock.advance(WINDOW_MS);
  await settled;
}

const sent = (b: Bench) => b.recorder.appends.map(({ request }) => request);
const extrasOf = (text: string | undefined) => JSON.parse(text || "{}") as LiveExtras;

/** Column 100 of the bundle comes from line 10 of src/cart.ts, column 200 from line 20. */
const MAP: PlaceMap = {
  locateAll: async (positions) => positions.map(({ column }) => placeAt(column)),
  locateCached: (_, column) => placeAt(column),
  context: async () => undefined,
};
const placeAt = (column: number) => ({
  source: 0,
  file: "src/cart.ts",
  line: column / 10,
  column: 5,
  name: null,
  function: column === 100 ? "Cart.total" : "handle",
  ignored: false,
});
const MAPS: PlaceMaps = { find: async () => MAP, findCached: () => MAP, hasAny: () => true };
const MAPPED = "    at Cart.total (src/cart.ts:10:5)\n    at handle (src/cart.ts:20:5)";

describe("leases", () => {
  test("while nobody watches, appends are as ever", async () => {
    const b = bench();
    await run(b, fetchItem());
    expect(sent(b)[0]).not.toHaveProperty("leases");
    expect(sent(b)[0]).not.toHaveProperty("extras");
  });

  test("of a Worker go with its next appends, that of all Workers with everyone's, also to new ones", async () => {
    const b = bench();
    b.recorder.leases = [all(), own()];
    await run(b, fetchItem());
    await run(b, fetchItem());
    await run(b, fetchItem({ scriptName: "new" }));
    expect(sent(b).map(({ leases }) => leases)).toEqual([undefined, [all(), own()], [all()]]);
  });

  test("that an Ingester does not name any more are forgotten", async () => {
    const b = bench();
    b.recorder.leases = [all(), own()];
    await run(b, fetchItem());
    b.recorder.leases = [own()];
    await run(b, fetchItem());
    await run(b, fetchItem({ scriptName: "other" }));
    b.recorder.leases = undefined;
    await run(b, fetchItem());
    await run(b, fetchItem());
    expect(sent(b).map(({ leases }) => leases)).toEqual([undefined, [all(), own()], undefined, [own()], undefined]);
  });

  test("that one shard has not heard of are not forgotten before it was told", async () => {
    const book = new LeaseBook();
    const early = { script: "shop" } as AppendRequest;
    book.heard(early, { ok: true, shards: 2, leases: [own()] });
    book.heard(early, { ok: true, shards: 2 });
    expect(book.of("shop", NOW_MS)).toEqual([own()]);
    book.heard({ ...early, leases: [own()] }, { ok: true, shards: 2 });
    expect(book.of("shop", NOW_MS)).toBeUndefined();
  });

  test("that are over are not passed on", async () => {
    const b = bench();
    b.recorder.leases = [own({ until: NOW_MS + 10_000 })];
    await run(b, fetchItem());
    await b.clock.advance(20_000);
    await run(b, fetchItem());
    expect(sent(b)[1]).not.toHaveProperty("leases");
  });
});

describe("extras", () => {
  test("an Ingester that asks gets the items of what this isolate did not know to be watched", async () => {
    const b = bench();
    b.recorder.leases = [own()];
    b.recorder.asks = true;
    await run(b, ...Array.from({ length: MAX_UNWATCHED + 20 }, () => fetchItem()));
    const [request] = sent(b);
    expect(b.recorder.supplied.map(({ batchId }) => batchId)).toEqual([request?.batchId]);
    const { items } = extrasOf(b.recorder.supplied[0]?.extras);
    expect(Object.keys(items ?? {})).toHaveLength(MAX_UNWATCHED);
  });

  test("then they come with the append, of all its invocations, failures first", async () => {
    const b = bench();
    b.recorder.leases = [own()];
    await run(b, fetchItem());
    await run(b, ...Array.from({ length: 1_500 }, () => fetchItem()), thrown());
    const { items } = extrasOf(sent(b)[1]?.extras);
    const outcomes = Object.values(items ?? {}).map((item) => (JSON.parse(item) as { outcome: string }).outcome);
    expect(outcomes).toContain("exception");
    expect(outcomes.length).toBeGreaterThan(400);
  });

  test("stacks are source-mapped, in items and for everyone, by event", async () => {
    const b = bench(undefined, MAPS);
    b.recorder.leases = [own()];
    await run(b, fetchItem());
    const error = { name: "TypeError", message: "no price", stack: STACK };
    await run(
      b,
      thrown(),
      thrown({}, { stack: `TypeError: no price\n${STACK}` }),
      logged({ level: "error", message: ["TypeError: no price"], errorInfo: [error] }),
      logged({ level: "error", message: [`TypeError: no price\n${STACK}`] }),
    );
    const { items, stacks } = extrasOf(sent(b)[1]?.extras);
    const told = Object.values(items ?? {}).map((item) => JSON.parse(item));
    expect(told.flatMap(({ exceptions }) => exceptions)).toMatchObject([
      { stack: MAPPED },
      { stack: `TypeError: no price\n${MAPPED}` },
    ]);
    const logs = told.flatMap((item) => item.logs);
    expect(logs).toMatchObject([
      { message: ["TypeError: no price"], errorInfo: [{ stack: MAPPED }] },
      { message: [`TypeError: no price\n${MAPPED}`] },
    ]);
    const events = b.recorder.events().filter(({ stack }) => stack !== undefined);
    expect(Object.keys(stacks ?? {}).sort()).toEqual(events.map((e) => `${e.invocation_id}.${e.seq}`).sort());
    for (const stack of Object.values(stacks ?? {})) expect(stack).toContain(MAPPED);
  });

  test("viewers without items get stacks alone, and nothing where there is no map", async () => {
    const mapped = bench(undefined, MAPS);
    const unmapped = bench();
    for (const b of [mapped, unmapped]) {
      b.recorder.leases = [all()];
      await run(b, fetchItem());
      await run(b, thrown());
    }
    expect(Object.keys(extrasOf(sent(mapped)[1]?.extras))).toEqual(["stacks"]);
    expect(sent(unmapped)[1]?.extras).toBe("");
  });

  test("one that asks for items, of a Collector that knew of viewers without, gets them", async () => {
    const b = bench(undefined, MAPS);
    b.recorder.leases = [own({ items: false })];
    await run(b, fetchItem());
    Object.assign(b.recorder, { leases: [own()], asks: true });
    await run(b, thrown());
    expect(Object.keys(extrasOf(sent(b)[1]?.extras))).toEqual(["stacks"]);
    // In this order: the Ingester cuts the items off for those who do not want them.
    expect(Object.keys(extrasOf(b.recorder.supplied.at(-1)?.extras))).toEqual(["stacks", "items"]);
  });

  test("an append that is tried again carries the same", async () => {
    const b = bench();
    b.recorder.leases = [own()];
    await run(b, fetchItem());
    b.recorder.script.push("fail-after");
    const settled = start(b, fetchItem());
    await b.clock.advance(5_000);
    await settled;
    expect(sent(b)).toHaveLength(2);
    expect(Object.keys(extrasOf(sent(b)[1]?.extras).items ?? {})).toHaveLength(1);
  });

  test.each([
    ["hangs", () => new Promise<void>(() => {})],
    ["fails", () => Promise.reject(new Error("Network connection lost."))],
  ])("a supply that %s keeps nobody waiting for long", async (_, takesSupply) => {
    const b = bench();
    Object.assign(b.recorder, { leases: [own()], asks: true, takesSupply });
    const settled = start(b, fetchItem());
    await b.clock.advance(WINDOW_MS + 300);
    expect(await settled).toMatchObject({ kept: 1 });
    expect(b.recorder.supplied).toHaveLength(1);
  });
});
