import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FRESH_MS, LookupCache } from "../../../workers/api/auth/cache.ts";
import { isForeignPage, isSameOrigin, mayChange } from "../../../workers/api/auth/origin.ts";
import { allows } from "../../../workers/api/auth/scopes.ts";
import { hashOf, looksLikeToken, newToken, randomBase62, sameHash } from "../../../workers/api/auth/secrets.ts";
import { withoutSecrets } from "../../../workers/api/errors.ts";

describe("secrets", () => {
  it("are 43 characters of base62, each as likely as the other", () => {
    const counts = new Map<string, number>();
    for (const character of randomBase62(62_000)) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // A thousand expected of each; six standard deviations are about 190.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
    expect(looksLikeToken(newToken())).toBe(true);
    expect(newToken()).not.toBe(newToken());
  });

  it("compare by hash, whatever is handed in", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(sameHash(hashOf(a), hashOf(b))).toBe(a === b);
        expect(sameHash(a, b) && a.length === 0).toBe(false);
      }),
    );
  });

  it("are cut out of what is logged", () => {
    const token = newToken();
    const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImEifQ.c2ln";
    const cookie = "__Host-tailrace=abcDEF123; other=1";
    const text = withoutSecrets(`token ${token}; Authorization: Bearer s3cret; ${jwt}; ${cookie}`);
    for (const secret of [token, "s3cret", jwt, "abcDEF123"]) expect(text).not.toContain(secret);
  });
});

describe("scopes", () => {
  it("admin may do everything, the others what their name says", () => {
    expect(allows("admin", "deploy")).toBe(true);
    expect(allows("read", "read")).toBe(true);
    expect(allows("ingest", "any")).toBe(true);
    for (const [held, asked] of [
      ["read", "ingest"],
      ["ingest", "read"],
      ["deploy", "admin"],
      ["read", "admin"],
    ] as const)
      expect(allows(held, asked), `${held} ${asked}`).toBe(false);
  });
});

describe("where a request comes from", () => {
  const request = (headers: Record<string, string>, method = "POST") =>
    new Request("http://tailrace.test/x", { method, headers });

  it("the browser's word counts, then the origin, then nothing", () => {
    expect(isSameOrigin(request({ "sec-fetch-site": "same-origin" }))).toBe(true);
    expect(isSameOrigin(request({ "sec-fetch-site": "same-site" }))).toBe(false);
    expect(isSameOrigin(request({ "x-origin": "y" }))).toBe(false);
    expect(isSameOrigin(request({ origin: "http://tailrace.test" }))).toBe(true);
    // Behind a proxy that ends TLS.
    expect(isSameOrigin(request({ origin: "https://tailrace.test" }))).toBe(true);
    expect(isSameOrigin(request({ origin: "http://tailrace.test.evil.test" }))).toBe(false);
    expect(isSameOrigin(request({ origin: "null" }))).toBe(false);
  });

  it("reading needs no proof, and a script is no foreign page", () => {
    expect(mayChange(request({}, "GET"))).toBe(true);
    expect(mayChange(request({}, "DELETE"))).toBe(false);
    expect(isForeignPage(request({}))).toBe(false);
    expect(isForeignPage(request({ "sec-fetch-site": "cross-site" }))).toBe(true);
  });
});

describe("the cache of look-ups", () => {
  it("is fresh for seconds, and stale for minutes more", () => {
    const cache = new LookupCache<string>();
    cache.set("k", "v", 0);
    expect(cache.fresh("k", FRESH_MS)).toBe("v");
    expect(cache.fresh("k", FRESH_MS + 1)).toBeUndefined();
    expect(cache.stale("k", FRESH_MS + 1)).toBe("v");
    expect(cache.stale("k", 6 * 60_000)).toBeUndefined();
  });

  it("is bounded", () => {
    const cache = new LookupCache<number>();
    for (let i = 0; i < 10_000; i++) cache.set(`k${i}`, i, 0);
    expect(cache.fresh("k0", 0)).toBeUndefined();
    expect(cache.fresh("k9999", 0)).toBe(9999);
  });
});
