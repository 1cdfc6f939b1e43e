/** Errors that were met a moment ago are known again by less than all of their text: never one for another. */
import { expect, test } from "vitest";
import { run, STACK, thrown } from "./grouping-support.ts";
import { bench } from "./support.ts";

const deep = (last: string) =>
  `${Array.from({ length: 6 }, () => "    at again (file:///index.js:1:100)").join("\n")}\n    at ${last} (file:///index.js:2:200)`;
const fingerprintsOf = async (...items: unknown[]) => {
  const b = bench();
  await run(b, ...items);
  return b.recorder.events().flatMap(({ fingerprint }) => fingerprint ?? []);
};

test("stacks that begin alike, met in turns", async () => {
  const a = thrown({}, { stack: deep("pay") });
  const b = thrown({}, { stack: deep("ship") });
  const found = await fingerprintsOf(a, a, b, a, b, b, a);
  expect(new Set(found).size).toBe(2);
  expect(found.map((fingerprint) => fingerprint === found[0])).toEqual([true, true, false, true, false, false, true]);
});

test("one stack of two Workers and of two versions", async () => {
  const other = { scriptName: "blog" };
  const found = await fingerprintsOf(thrown(), thrown(), thrown(other), thrown(other), thrown());
  expect(new Set(found).size).toBe(2);
});

test("one stack with other messages, types and outcomes in between", async () => {
  const at = (message: string, name = "TypeError", item = {}) => thrown(item, { message, name, stack: STACK });
  const answered = { event: { request: { url: "https://a.test/", method: "GET" }, response: { status: 200 } } };
  const items = [at("no 1"), at("no 2"), at("gone"), at("gone", "RangeError"), at("gone", "TypeError", answered)];
  const found = await fingerprintsOf(...items, ...items);
  expect(found.slice(5)).toEqual(found.slice(0, 5));
  expect(found[1]).toBe(found[0]);
  expect(new Set(found).size).toBe(4);
});
