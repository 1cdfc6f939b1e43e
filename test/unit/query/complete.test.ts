/** `¦` is the cursor. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { completeAt, keywords } from "../../../workers/query/language/complete.ts";

const at = (marked: string) => {
  const cursor = marked.indexOf("¦");
  const text = marked.replace("¦", "");
  const { kind, prefix, field, from, to } = completeAt(text, cursor);
  return `${kind} ${field === undefined ? "" : `${field}=`}${prefix} [${text.slice(from, to)}]`;
};

test.each([
  ["¦", "field  []"],
  ["sta¦", "field sta [sta]"],
  ["status:500 -co¦", "field co [co]"],
  ["(sta¦", "field sta [sta]"],
  ["status:¦", "value status= []"],
  ["status:5¦", "value status=5 [5]"],
  ["status:>=5¦", "value status=5 [5]"],
  ["-colo:L¦", "value colo=L [L]"],
  ['route:"/a b¦', 'value route=/a b ["/a b]'],
  ['"some text¦', "none  []"],
  ['"a" sta¦', "field sta [sta]"],
  ["a | ¦", "pipe  []"],
  ["a | st¦", "pipe st [st]"],
  ['"a | b" sta¦', "field sta [sta]"],
  ["| stats ¦", "function  []"],
  ["| stats count(), p9¦", "function p9 [p9]"],
  ["| stats sum(du¦", "field du [du]"],
  ["| stats count(status:5¦", "value status=5 [5]"],
  ["| stats count() as n¦", "none  []"],
  ["| stats count() by ver¦", "field ver [ver]"],
  ["| stats count() by a, bin(¦", "field  []"],
  ["| where sta¦", "field sta [sta]"],
  ["| sort dur¦ desc", "field dur [dur]"],
  ["| fields a, b¦", "field b [b]"],
  ["| limit 1¦", "none  []"],
  ["sta¦ colo:LHR", "field sta [sta]"],
])("%s", (marked, expected) => expect(at(marked)).toBe(expected));

test("keywords begin with what is typed", () => {
  expect(keywords("pipe", "s")).toEqual(["stats", "sort"]);
  expect(keywords("function", "COUNT")).toEqual(["count", "count_distinct"]);
});

test("what is replaced ends at the cursor, in any text", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(50), (text, cursor) => {
      const { from, to } = completeAt(text, cursor);
      return from >= 0 && from <= to && to === Math.min(cursor, text.length);
    }),
  );
});
