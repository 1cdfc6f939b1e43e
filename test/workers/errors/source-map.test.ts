/** The seekable form inside workerd: made there, put into R2, read from it by ranges. */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { compressBlock, decompressBlock } from "../../../workers/errors/source-map/compress.ts";
import { openSeekable } from "../../../workers/errors/source-map/open.ts";
import { convert, rawMap, type Segment } from "../../support/source-maps.ts";

/** 300,000 mappings of a thousand lines, from two sources of ten thousand lines each. */
function largeMap() {
  const lines = Array.from({ length: 1000 }, (_, line): Segment[] =>
    Array.from({ length: 300 }, (_, i) => [i * 4, i & 1, line * 10 + (i % 10), i % 80, i & 1]),
  );
  const content = (name: string) => Array.from({ length: 10_000 }, (_, i) => `${name} ${i + 1};`).join("\n");
  return rawMap(lines, { sources: ["a.ts", "b.ts"], sourcesContent: [content("a"), content("b")] });
}

describe("a large map in R2", () => {
  test("answers for a frame with two reads of a few KB, and shows its lines with two more", async () => {
    const bytes = convert(largeMap());
    await env.BUCKET.put("maps/large", bytes);
    const reads: number[] = [];
    const map = await openSeekable({
      size: bytes.length,
      async read(offset, length) {
        reads.push(length);
        const object = await env.BUCKET.get("maps/large", { range: { offset, length } });
        return new Uint8Array((await object?.arrayBuffer()) ?? []);
      },
    });
    const found = await map.locate(700, 4 * 123 + 2);
    expect(found).toMatchObject({ file: "b.ts", line: 6994, column: 44, name: "two", ignored: false });
    expect(reads).toHaveLength(2);
    const context = await map.context(found as { source: number; line: number }, 2);
    expect(context).toEqual({ firstLine: 6992, lines: [6992, 6993, 6994, 6995, 6996].map((line) => `b ${line};`) });
    expect(reads.length).toBeLessThanOrEqual(5);
    expect(Math.max(...reads)).toBeLessThanOrEqual(16 * 1024);
    expect(map.locateCached(700, 4 * 123 + 2)).toEqual(found);
    expect(map.locateCached(1, 1)).toBe("absent");
  });
});

describe("blocks", () => {
  test("of any size come back, compressible or not, also where workerd's buffers double", () => {
    const noise = new Uint8Array(400_000);
    for (let from = 0; from < noise.length; from += 50_000) crypto.getRandomValues(noise.subarray(from, from + 50_000));
    const edges = [1, 2, 4, 8].flatMap((times) => [-1, 0, 1].map((by) => 40_960 * times + by));
    const steps = Array.from({ length: 40 }, (_, i) => i * 9973);
    for (const size of [1, 100, 16_384, ...steps, ...edges]) {
      for (const raw of [noise.subarray(0, size), new Uint8Array(size).fill(7)]) {
        const back = decompressBlock(compressBlock(raw));
        expect(back.length).toBe(size);
        expect(back.findIndex((byte, i) => byte !== raw[i])).toBe(-1);
      }
    }
  });
});
