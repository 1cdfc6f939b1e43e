/** workerd's zstd has edges of its own (docs/decisions/0002-zstd-in-workerd.md): nothing may depend on a lucky size. */
import { expect, test } from "vitest";
import { compress, decompress } from "../../../workers/store/parquet/zstd.ts";

/** Where workerd's output buffer ends: its first size and the doublings. */
const EDGES = [40_960, 81_920, 163_840, 327_680];

/** `period` small: compresses to nothing; large: hardly at all. */
function bytes(size: number, period: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: size }, (_, n) => {
    if (n % period === 0) state = 1;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

const sizes = [
  0,
  1,
  100,
  30_000,
  119_762,
  130_000,
  250_000,
  ...EDGES.flatMap((edge) => [edge - 1, edge, edge + 1, edge + 9_000]),
];

test.each(sizes)("%i bytes come back as they were", (size) => {
  for (const period of [8, 5_000, 1_000_000]) {
    const input = bytes(size, period);
    const output = decompress(compress(input), size);
    expect(output.length).toBe(size);
    expect(output.every((byte, n) => byte === input[n])).toBe(true);
  }
});

test("another size than was promised is an error, not a short page", () => {
  const packed = compress(bytes(50_000, 8));
  expect(() => decompress(packed, 49_999)).toThrow(RangeError);
  expect(() => decompress(packed, 50_001)).toThrow(RangeError);
});
