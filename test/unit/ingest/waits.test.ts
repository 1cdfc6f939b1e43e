/** Errors whose source map is there, is being read, comes late, or never. */
import { describe, expect, test, vi } from "vitest";
import type { Place, PlaceMap, PlaceMaps } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { WINDOW_MS } from "../../../workers/ingest/group-commit.ts";
import { MAX_WAIT_MS } from "../../../workers/ingest/grouping/waits.ts";
import { run, start, thrown } from "./grouping-support.ts";
import { bench, fetchItem, NO_MAPS, NOW_MS } from "./support.ts";

/** A map that comes when it is let through. */
class SlowMaps implements PlaceMaps {
  asked = 0;
  known = false;
  private open = () => {};
  private readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
  private readonly map: PlaceMap = {
    locateCached: (_, column) => this.place(column),
    locateAll: async (positions) => positions.map(({ column }) => this.place(column)),
    context: async () => undefined,
  };
  private place(column: number): Place {
    const name = column === 100 ? "priceOf" : "fetch";
    return { source: 0, file: "src/cart.ts", line: column, column: 1, name: null, function: name, ignored: false };
  }
  find = async () => {
    this.asked++;
    await this.opened;
    this.known = true;
    return this.map;
  };
  findCached = () => (this.known ? this.map : undefined);
  hasAny = () => true;
  arrive() {
    this.open();
  }
}

describe("source maps", () => {
  test("an error whose map is being read is held back, and grouped by the source", async () => {
    const maps = new SlowMaps();
    const b = bench(undefined, maps);
    const calls = Array.from({ length: 100 }, () => start(b, thrown()));
    await b.clock.advance(MAX_WAIT_MS / 2);
    expect(b.recorder.events()).toEqual([]);
    maps.arrive();
    await b.clock.advance(WINDOW_MS);
    await Promise.all(calls);
    expect(maps.asked).toBe(1);
    const [delta, ...more] = b.recorder.issues();
    expect(more).toEqual([]);
    expect(delta).toMatchObject({ count: 100, awaitsMap: "", fingerprint: delta?.group });
    expect(delta?.culprit).toMatch(/priceOf.*src\/cart\.ts/);
    expect(b.recorder.ledger()).toMatchObject({ received: 100, kept: 100 });
  });

  test("what needs no map does not wait for those that do", async () => {
    const b = bench(undefined, new SlowMaps());
    const slow = start(b, thrown());
    await b.clock.advance(0);
    const quick = start(b, fetchItem());
    await b.clock.advance(WINDOW_MS);
    expect(await quick).toMatchObject({ kept: 1 });
    await b.clock.advance(2_000);
    await slow;
  });

  test("after a bounded wait it is grouped raw, says what it waits for, and for a while nobody waits", async () => {
    const maps = new SlowMaps();
    const b = bench(undefined, maps);
    const first = start(b, thrown());
    await b.clock.advance(MAX_WAIT_MS + WINDOW_MS);
    expect(await first).toMatchObject({ kept: 1 });
    const [raw] = b.recorder.issues();
    expect(raw).toMatchObject({ awaitsMap: "v1" });
    expect(raw?.fingerprint).toMatch(/^u1-/);
    expect(raw?.group).toMatch(/^v1-/);
    const second = start(b, thrown(), thrown({}, { stack: "    at z (file:///index.js:1:300)" }));
    await b.clock.advance(WINDOW_MS);
    expect(await second).toMatchObject({ kept: 2 });
    maps.arrive();
    await b.clock.advance(2_000);
    const third = start(b, thrown());
    await b.clock.advance(WINDOW_MS);
    await third;
    expect(b.recorder.issues().at(-1)).toMatchObject({ awaitsMap: "" });
  });

  test("a version without a map joins by its raw frames, and waits for no one", async () => {
    const b = bench();
    const done = start(b, thrown());
    await b.clock.advance(WINDOW_MS);
    await done;
    expect(b.recorder.issues()).toMatchObject([{ awaitsMap: "v1", group: expect.stringMatching(/^v1-/) }]);
    expect((await run(bench(), thrown({ scriptVersion: undefined })))[0]?.awaitsMap).toBe("");
  });

  test("a look-up that throws costs nothing but the map", async () => {
    const maps: PlaceMaps = {
      ...NO_MAPS,
      findCached: () => {
        throw new Error("boom");
      },
    };
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const b = bench(undefined, maps);
    const deltas = await run(b, thrown(), thrown());
    expect(b.recorder.ledger()).toMatchObject({ kept: 2, events: 4 });
    expect(deltas).toMatchObject([{ kind: "exception", count: 2 }]);
    expect(error).toHaveBeenCalledTimes(1);
    error.mockRestore();
  });

  test("while many wait, memory is bounded: the rest is grouped raw at once", async () => {
    const b = bench(undefined, new SlowMaps());
    const long = "x".repeat(30_000);
    const item = () => thrown({ logs: [{ timestamp: NOW_MS, level: "log", message: [long] }] });
    const done = start(b, ...Array.from({ length: 400 }, item));
    await b.clock.advance(WINDOW_MS);
    expect(b.recorder.events().length).toBeGreaterThan(0);
    await b.clock.advance(2_000);
    expect(await done).toMatchObject({ kept: 400 });
    expect(b.recorder.issues().reduce((sum, { count }) => sum + count, 0)).toBe(400);
  });
});
