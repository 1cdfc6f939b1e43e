/** What a finding is found by: whatever an attribute and its value are called, the filter matches it and nothing else. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { filterOf } from "../../../workers/api/issues/attributes.ts";
import { attributeColumn } from "../../../workers/event/columns.ts";
import { rangeOf } from "../../../workers/query/attributes/ranges.ts";
import { ask, storeOf } from "../../support/query.ts";

const event = (seq: number, more: object) => ({
  ...{ time: seq + 1, kind: "log" as const, script: "s", invocation_id: `${seq}`, seq, sample_weight: 1 },
  ...more,
});
const found = async (events: object[], filter: string) => {
  const store = storeOf([events.map((more, seq) => event(seq, more))], []);
  return (await ask(store, `${filter} | fields seq | sort seq`)).rows.flat();
};

test.each([
  ["cloudflare.colo", "LHR", "colo:LHR", { colo: "LHR" }, { colo: "lhr" }],
  ["cloudflare.script_version.id", "a b", 'version:"a b"', { version_id: "a b" }, { version_id: "a" }],
  ["http.route", "/products/:id", 'route:"/products/:id"', { route: "/products/:id" }, { route: "/products/x" }],
  [
    "tenant.id",
    "acme",
    "tenant.id:acme",
    { attributes: { "tenant.id": "acme" } },
    { attributes: { "tenant.id": "acme2" } },
  ],
  ["issue", "7", "@issue:7", { attributes: { issue: 7 } }, { attributes: { issue: 8 } }],
  ["failed", "true", "@failed:true", { attributes: { failed: true } }, { attributes: { failed: false } }],
  [
    "odd name",
    "a..b",
    '"odd name":"a..b"',
    { attributes: { "odd name": "a..b" } },
    { attributes: { "odd name": "a" } },
  ],
])("%s = %s is found by %s", async (column, value, filter, having, other) => {
  expect(filterOf(column, value)).toBe(filter);
  expect(await found([having, other, {}], filter)).toEqual([0]);
});

test("whatever it is", async () => {
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom("-a", "a:b", "a b", 'a"b', "(a)", "NOT", "a|b", "status", "@x", "attributes.y", "__proto__"),
  );
  const value = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.constantFrom(">5", "*", "a*", "/x/", "1..2", '"', "\\", "-1"),
  );
  await fc.assert(
    fc.asyncProperty(name, value, async (key, text) => {
      const events = [{ attributes: { [key]: text } }, { attributes: { [key]: `${text}x` } }];
      expect(await found(events, filterOf(attributeColumn(key), text))).toEqual([0]);
    }),
    { numRuns: 300 },
  );
});

test("a range finds the numbers in it", async () => {
  const numbers = [1, 2, 4.99, 5, 10, -5, -7, -10, 0];
  for (const number of numbers) {
    const [name, range] = rangeOf("n", number) ?? ["n", String(number)];
    const same = numbers.flatMap((n, seq) => (rangeOf("n", n)?.[1] === rangeOf("n", number)?.[1] ? [seq] : []));
    expect(
      await found(
        numbers.map((n) => ({ attributes: { n } })),
        filterOf(name, range),
      ),
      range,
    ).toEqual(same);
  }
});
