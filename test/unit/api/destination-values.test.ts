/** Values of an integration's fields: what is wrong with them, and which stored secrets go along. */
import { describe, expect, it } from "vitest";
import type { CatalogField } from "../../../workers/api/contract.ts";
import { fillIn } from "../../../workers/api/destinations/values.ts";
import type { Integration } from "../../../workers/integrations/contract.ts";

const field = (name: string, more: Partial<CatalogField> = {}): CatalogField => ({
  ...{ name, label: name, type: "text", required: false, secret: false, help: "" },
  ...more,
});
const secret = (name: string, more: Partial<CatalogField> = {}) =>
  field(name, { type: "secret", secret: true, ...more });

const integration = (...fields: CatalogField[]): Integration =>
  ({ id: "x", name: "X", role: "destination", fields, takes: [] }) as unknown as Integration;
const fill = (
  of: Integration,
  given: Record<string, string>,
  before?: { values?: Record<string, string>; secrets?: Record<string, string> },
) =>
  fillIn(of, given, {
    allowLoopback: false,
    before: before && { values: before.values ?? {}, secrets: before.secrets ?? {} },
  });

describe("what is filled in", () => {
  const all = integration(
    field("url", { type: "url" }),
    field("mode", { type: "select", options: [{ value: "a", label: "A" }], default: "a" }),
    field("on", { type: "boolean" }),
    field("count", { type: "number" }),
    field("note", { required: true }),
  );

  it.each<[Record<string, string>, string]>([
    [{ note: "n", url: "not a url" }, "url"],
    [{ note: "n", url: "http://example.com" }, "url"],
    [{ note: "n", url: "https://[::1]/" }, "url"],
    [{ note: "n", url: "https://user:pass@example.com/" }, "url"],
    [{ note: "n", mode: "b" }, "mode"],
    [{ note: "n", on: "yes" }, "on"],
    [{ note: "n", count: "many" }, "count"],
    [{ note: "a\u0000b" }, "note"],
    [{}, "note"],
    [{ note: "   " }, "note"],
    [{ note: "n", other: "x" }, "other"],
  ])("%j has a problem at %s", (given, at) => {
    expect(Object.keys(fill(all, given).problems)).toEqual([at]);
  });

  it.each([
    ["http://169.254.169.254/x", /https/],
    ["https://169.254.169.254/x", /public/],
    ["https://key@localhost/1", /public/],
    ["https://key@o1.ingest.example.com/1", undefined],
    ["authorization: Bearer https://10.0.0.1", undefined],
  ])("an address that is a secret, %s, is looked at as well", (given, problem) => {
    const found = fill(integration(secret("dsn")), { dsn: given }).problems.dsn;
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it("is trimmed, completed by defaults, and stored without them", () => {
    const { problems, all: values, values: stored } = fill(all, { note: " n ", url: " https://example.com/a " });
    expect(problems).toEqual({});
    expect(values).toEqual({ note: "n", url: "https://example.com/a", mode: "a" });
    expect(stored).toEqual({ note: "n", url: "https://example.com/a" });
  });
});

describe("stored secrets", () => {
  const of = integration(
    field("url", { type: "url" }),
    field("region"),
    field("note"),
    secret("key"),
    secret("second"),
  );
  const before = { values: { url: "https://a.example/1", region: "eu" }, secrets: { key: "k1", second: "k2" } };
  const same = { url: "https://a.example/1", region: "eu" };

  it("stay when they are left out, go when they are emptied, and are replaced when they are given", () => {
    expect(fill(of, same, before).secrets).toEqual({ key: "k1", second: "k2" });
    expect(fill(of, { ...same, second: "" }, before).secrets).toEqual({ key: "k1" });
    expect(fill(of, { ...same, key: "new" }, before).secrets).toEqual({ key: "new", second: "k2" });
  });

  it.each([
    ["another path", { ...same, url: "https://a.example/2" }],
    ["another text that leads nowhere", { ...same, note: "x" }],
  ])("go along to %s", (_, given) => {
    expect(fill(of, given, before)).toMatchObject({ problems: {}, secrets: { key: "k1", second: "k2" } });
  });

  it.each([
    ["another host", { ...same, url: "https://b.example/1" }],
    ["another port", { ...same, url: "https://a.example:8443/1" }],
    ["no host at all, which is the vendor's own then", { region: "eu" }],
    ["another region", { ...same, region: "eu.evil.example" }],
  ])("do not go along to %s", (_, given) => {
    const filled = fill(of, given, before);
    expect(filled.secrets).toEqual({});
    expect(Object.keys(filled.problems)).toEqual(["key", "second"]);
    expect(fill(of, { ...given, key: "k1", second: "" }, before)).toMatchObject({
      problems: {},
      secrets: { key: "k1" },
    });
  });

  it("do not go along to another address that is a secret itself", () => {
    const hidden = integration(secret("address"), secret("headers"));
    const stored = { secrets: { address: "https://a.example/token", headers: "authorization: k" } };
    expect(fill(hidden, { address: "https://a.example/other" }, stored).secrets.headers).toBe("authorization: k");
    const moved = fill(hidden, { address: "https://evil.example/" }, stored);
    expect(Object.keys(moved.problems)).toEqual(["headers"]);
    expect(moved.secrets).toEqual({ address: "https://evil.example/" });
  });
});
