import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricPoints } from "../../../workers/buffer/metric-points.ts";
import { backoff } from "../../../workers/buffer/sealer.ts";
import { jsonChunks } from "../../../workers/db/json-chunks.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { RollupDelta } from "../../../workers/event/rollup.ts";
import { BatchCollection } from "../../../workers/store/batch-collection.ts";
import { RollupSums } from "../../../workers/store/counts/merge.ts";
import { stepFor } from "../../../workers/store/counts/steps.ts";
import { hourRanges, sealSegments, withTimes } from "../../../workers/store/seal.ts";
import { arbitraryEvent } from "../../support/events.ts";

const HOUR_US = 3_600_000_000;

describe("hourRanges", () => {
  it("covers every row once, each hour by itself while there are few", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100 * HOUR_US), { minLength: 1 }), fc.integer({ min: 1, max: 30 }), (times, max) => {
        const sorted = new Float64Array(times).sort();
        const ranges = hourRanges(sorted, max);
        expect(ranges.length).toBeLessThanOrEqual(max);
        expect(ranges[0]?.[0]).toBe(0);
        expect(ranges.at(-1)?.[1]).toBe(sorted.length);
        for (let i = 1; i < ranges.length; i++) expect(ranges[i]?.[0]).toBe(ranges[i - 1]?.[1]);
        const hours = new Set([...sorted].map((t) => Math.floor(t / HOUR_US)));
        if (hours.size <= max) expect(ranges).toHaveLength(hours.size);
        const firsts = ranges.map(([from]) => Math.floor((sorted[from] ?? 0) / HOUR_US));
        expect(new Set(firsts).size).toBe(ranges.length);
      }),
    );
  });
});

describe("sealSegments", () => {
  const source = { script: "w", shardId: "s", firstId: 1, lastId: 2 };

  it("keeps every row, and gives the same bytes for the same batches", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(arbitraryEvent, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        (lists) => {
          const seal = () => {
            const collection = new BatchCollection();
            for (const events of lists) {
              const builder = new BatchBuilder();
              for (const event of events) builder.push(event);
              collection.add(decodeBatch(builder.encode()));
            }
            const merged = collection.merged();
            return merged === undefined ? [] : sealSegments(source, merged);
          };
          const first = seal();
          expect(first.reduce((sum, s) => sum + s.rows, 0)).toBe(lists.flat().length);
          expect(new Set(first.map((s) => s.key)).size).toBe(first.length);
          expect(seal()).toEqual(first);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("bears thousands of attribute names, each in one row", () => {
    const collection = new BatchCollection();
    for (let n = 0; n < 30; n++) {
      const builder = new BatchBuilder();
      for (let i = 0; i < 30; i++) {
        const attributes = Object.fromEntries(Array.from({ length: 40 }, (_, k) => [`k${n}.${i}.${k}`, k]));
        builder.push({ time: i, kind: "log", script: "w", invocation_id: "i", seq: i, sample_weight: 1, attributes });
      }
      collection.add(decodeBatch(builder.encode()));
    }
    const merged = collection.merged();
    expect(merged?.rows).toBe(900);
    expect(merged?.columns.size).toBeLessThan(300);
  });

  it("gives rows without a time the time of their batch", () => {
    const batch = withTimes(decodeBatch('{"v":2,"n":2,"r":[[2]],"c":{"time":{"t":"t","o":5,"x":[1],"r":0}}}'), 42);
    expect(batch.columns.get("time")).toMatchObject({ data: new Float64Array([42, 6]) });
    const none = withTimes(decodeBatch('{"v":2,"n":1,"c":{}}'), 42);
    expect(none.columns.get("time")).toMatchObject({ data: new Float64Array([42]) });
  });
});

describe("backoff", () => {
  it("doubles from a second to its upper bound", () => {
    expect([1, 2, 3, 4, 5, 6, 100].map(backoff)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });
});

describe("metricPoints", () => {
  const rollup = (minute: number, entrypoint: string, requests: number): RollupDelta => ({
    minute,
    script: "shop",
    version_id: "v1",
    version_tag: "",
    version_message: "",
    entrypoint,
    event_type: "fetch",
    requests,
    errors: 1,
    outcomes: { ok: requests },
    statuses: { "2xx": requests - 1, "5xx": 1 },
    duration: [0, requests],
    cpu: [],
  });
  const points = (rollups: RollupDelta[], max: number) => {
    const sums = new RollupSums();
    for (const r of rollups) sums.add(r);
    return metricPoints(sums.list(), max);
  };

  it("are one per rollup, in the documented order", () => {
    const [point] = points([rollup(60, "Api", 10)], 250);
    expect(point?.indexes).toEqual(["shop"]);
    expect(point?.blobs).toEqual(["shop", "v1", "", "Api", "fetch"]);
    expect(point?.doubles?.slice(0, 3)).toEqual([60, 10, 1]);
    expect(point?.doubles?.slice(5)).toEqual([-1, -1, 9, 0, 0, 1]);
  });

  it("stay within the limit of an invocation: minutes are added up, then the smallest go", () => {
    const many = [0, 1, 2].flatMap((e) => [60, 120, 180].map((minute) => rollup(minute, `e${e}`, e + 1)));
    expect(points(many, 3).map((p) => [p.blobs?.[3], p.doubles?.[1]])).toEqual([
      ["e2", 9],
      ["e1", 6],
      ["e0", 3],
    ]);
    expect(points(many, 1).map((p) => p.blobs?.[3])).toEqual(["e2"]);
    expect(points(many, 0)).toEqual([]);
  });
});

describe("jsonChunks", () => {
  it("cuts rows into JSON arrays that hold them all, none too long for a parameter", () => {
    const rows = Array.from({ length: 100 }, (_, i) => [i, "x".repeat(20_000)]);
    const chunks = jsonChunks(rows);
    expect(chunks.flatMap((c) => JSON.parse(c) as unknown[])).toEqual(rows);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(650_000);
    expect(jsonChunks([])).toEqual([]);
  });
});

describe("stepFor", () => {
  const now = Date.UTC(2026, 10, 20);
  const hour = 3_600_000;
  it("is finer for shorter ranges, and an hour where only hours are kept", () => {
    expect(stepFor(now - 6 * hour, now, now)).toBe(60);
    expect(stepFor(now - 7 * hour, now, now)).toBe(600);
    expect(stepFor(now - 49 * hour, now, now)).toBe(3_600);
    expect(stepFor(now - 40 * 24 * hour, now - 40 * 24 * hour + hour, now)).toBe(3_600);
  });
});
