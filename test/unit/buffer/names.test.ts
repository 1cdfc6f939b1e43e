import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shardName } from "../../../workers/buffer/contract.ts";
import { cutText } from "../../../workers/buffer/text-parts.ts";
import { compactedKey, digest, sealedKey } from "../../../workers/store/paths.ts";

const name = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("a", "#", "1", "2") }));

describe("shardName", () => {
  it("is the Worker's name for the first shard", () => {
    expect([shardName("shop", 0), shardName("shop", 3)]).toEqual(["shop", "shop#3"]);
  });

  it("never gives two shards one name", () => {
    const shard = fc.tuple(name, fc.nat(20));
    fc.assert(
      fc.property(shard, shard, ([a, m], [b, n]) => {
        expect(shardName(a, m) === shardName(b, n)).toBe(a === b && m === n);
      }),
    );
  });
});

describe("keys of segments", () => {
  const time = Date.UTC(2026, 0, 2, 3, 59) * 1000;

  it("follow the layout of Hive", () => {
    expect(sealedKey("my worker/ä", time, "0123456789abcdef", 5, 9)).toBe(
      "events/script=my%20worker%2F%C3%A4/date=2026-01-02/hour=03/0123456789abcdef-5-9.parquet",
    );
    expect(compactedKey("w", time, 2, "ff")).toBe("events/script=w/date=2026-01-02/hour=03/c2-ff.parquet");
  });

  it("fit into R2, and differ when the names differ", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 2_000, unit: "binary" }),
        fc.string({ maxLength: 2_000, unit: "binary" }),
        (a, b) => {
          const key = sealedKey(a, time, "0123456789abcdef", 1e12, 1e12 + 1);
          expect(new TextEncoder().encode(key).length).toBeLessThan(1_024);
          const folder = key.slice("events/script=".length).split("/");
          expect(folder).toHaveLength(4);
          if (a.toWellFormed() !== b.toWellFormed())
            expect(sealedKey(b, time, "0123456789abcdef", 1e12, 1e12 + 1)).not.toBe(key);
        },
      ),
    );
  });
});

describe("digest", () => {
  it("tells lists apart that join to the same text", () => {
    expect(digest(["ab", "c"])).not.toBe(digest(["a", "bc"]));
    expect(digest(["a"])).not.toBe(digest(["a", ""]));
    expect(digest(["a", "b"])).toBe(digest(["a", "b"]));
  });
});

describe("cutText", () => {
  it("gives the text back, in pieces that are short and survive UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 7 }), (text, size) => {
        const parts = cutText(text, size);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(size);
          expect(Buffer.from(part, "utf8").toString("utf8")).toBe(part);
        }
        expect(parts.join("")).toBe(text);
      }),
    );
  });
});
