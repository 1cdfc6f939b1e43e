import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { itemReader, MAX_ITEM_TEXT_CHARS, type ReadItem } from "../../../workers/ingest/item-reader.ts";

function read(text: string, pieceChars = text.length || 1): ReadItem[] {
  const reader = itemReader();
  const out: ReadItem[] = [];
  for (let at = 0; at < text.length; at += pieceChars) out.push(...reader.push(text.slice(at, at + pieceChars)));
  out.push(...reader.end());
  return out;
}
const values = (items: ReadItem[]) =>
  items.map((i) => ("error" in i && i.error !== undefined ? "bad" : (i as { item: unknown }).item));

describe.each([1, 7, 1_000_000])("in pieces of %i characters", (piece) => {
  test.each([
    ["", []],
    ["  \n\n ", []],
    ['{"a":1}', [{ a: 1 }]],
    ['{"a":1}\n{"a":2}\n', [{ a: 1 }, { a: 2 }]],
    ['\ufeff{"a":1}\r\n\r\n{"a":2}\r\n', [{ a: 1 }, { a: 2 }]],
    ['{"a":1}\n{"a":\n{"a":3}', [{ a: 1 }, "bad", { a: 3 }]],
    ['{"a":1\n"b":2}', ["bad", "bad"]],
    ["[]", []],
    ['[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    [' [\n {"a":"],{\\""} ,\n [1,[2]], "x" ] ', [{ a: '],{"' }, [1, [2]], "x"]],
    ['[{"a":1},{"a":},{"a":3}]', [{ a: 1 }, "bad", { a: 3 }]],
    ['[{"a":1},{"a":2}', [{ a: 1 }, "bad"]],
    ["not json at all", ["bad"]],
  ])("%j", (text, expected) => expect(values(read(text, piece))).toEqual(expected));
});

test("NDJSON and an array of anything come out as they went in, however cut", () => {
  fc.assert(
    fc.property(fc.array(fc.object(), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (list, piece) => {
      const items = list.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      expect(values(read(items.map((value) => JSON.stringify(value)).join("\n"), piece))).toEqual(items);
      expect(values(read(JSON.stringify(items), piece))).toEqual(items);
    }),
  );
});

test("a long array, beyond what is parsed in one go, comes out whole", () => {
  const items = Array.from({ length: 30_000 }, (_, i) => ({ i, text: `"quoted, [text] ${"x".repeat(80)}` }));
  expect(values(read(JSON.stringify(items), 65_536))).toEqual(items);
});

test.each([
  ["a line", (long: string) => `{"a":1}\n{"a":"${long}"}\n{"a":3}`],
  ["an array's element", (long: string) => `[{"a":1},{"a":"${long}"},{"a":3}]`],
])("%s that is too long is rejected, its neighbours are not", (_, make) => {
  const text = make("x".repeat(MAX_ITEM_TEXT_CHARS + 200_000));
  expect(values(read(text, 65_536))).toEqual([{ a: 1 }, "bad", { a: 3 }]);
});

test("whatever the text, reading it ends without throwing", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'[]{}",:\\ \n1a') }),
      fc.integer({ min: 1, max: 9 }),
      (text, piece) => {
        expect(Array.isArray(read(text, piece))).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});
