/** What a click does to the query's text, and that the grammar reads it back as meant. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { addFilter, groupBy, joinQuery, splitQuery, term } from "../../../dashboard/src/lib/query-text.ts";
import { attributeColumn } from "../../../workers/event/columns.ts";
import { attributeField } from "../../../workers/query/language/ast.ts";
import { parseQuery } from "../../../workers/query/language/parse.ts";

test.each([
  ["script:shop", "script:shop", ""],
  ["a | stats count() | limit 3", "a", "| stats count() | limit 3"],
  ['"a | b" | limit 3', '"a | b"', "| limit 3"],
  ["route:/a|b/ | limit 3", "route:/a|b/", "| limit 3"],
  ["| stats count()", "", "| stats count()"],
])("%s splits at its first pipe", (q, filter, pipes) => {
  expect(splitQuery(q)).toEqual({ filter, pipes });
  expect(joinQuery({ filter, pipes })).toBe(q);
});

test.each([
  ["", "colo", "LHR", false, "colo:LHR"],
  ["a:1", "colo", "LHR", false, "a:1 colo:LHR"],
  ["a:1", "colo", "LHR", true, "a:1 -colo:LHR"],
  ["a:1 -colo:LHR", "colo", "LHR", false, "a:1 colo:LHR"],
  ["a:1 colo:LHR", "colo", "LHR", true, "a:1 -colo:LHR"],
  ["a:1 colo:LHR", "colo", "LHR", false, "a:1 colo:LHR"],
  ["a:1 OR b:2", "colo", "LHR", false, "(a:1 OR b:2) colo:LHR"],
  ["a:1 | stats count()", "status", 500, false, "a:1 status:500 | stats count()"],
  ["", "route", "/cart", false, 'route:"/cart"'],
  ["", "colo", null, false, "-colo:*"],
  ["", "colo", null, true, "colo:*"],
  ["", "message", 'say "hi" \\ bye', false, 'message:"say \\"hi\\" \\\\ bye"'],
])("%j and %s=%j (out: %j) make %j", (q, field, value, exclude, expected) => {
  expect(addFilter(q, field, value, exclude)).toBe(expected);
});

test("grouping keeps the filter and replaces the pipes", () => {
  expect(groupBy("a:1 | limit 3", "user.id")).toBe("a:1 | stats count() by user.id | sort count desc");
});

test("whatever the value, the server's grammar reads the term as that field and that value", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "binary" }), (value) => {
      const parsed = parseQuery(term("colo", value), 0);
      expect(parsed).toMatchObject({ ok: true, query: { filter: { field: { name: "colo" } } } });
      if (!parsed.ok || parsed.query.filter.kind !== "equals") throw new Error("not an equality");
      expect(parsed.query.filter.value.text).toBe(value);
    }),
  );
});

test("whatever an attribute is called, the term made of it asks for that attribute", () => {
  const called = fc.oneof(
    fc.string({ minLength: 1, unit: "binary" }),
    fc.constantFrom("constructor", "__proto__", "toString", "failed", "version", "host", "@timestamp", "attributes.x"),
  );
  fc.assert(
    fc.property(called, (name) => {
      const column = attributeColumn(name);
      const parsed = parseQuery(term(attributeField(column), "x"), 0);
      expect(parsed).toMatchObject({ ok: true, query: { filter: { kind: "equals", field: { physical: column } } } });
    }),
  );
});

test("`failed` asks about the invocation, `@failed` about an attribute of that name", () => {
  expect(parseQuery("failed:true", 0)).toMatchObject({ query: { filter: { kind: "failed" } } });
  expect(parseQuery("@failed:true", 0)).toMatchObject({ query: { filter: { field: { physical: "failed" } } } });
});
