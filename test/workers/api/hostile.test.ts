/** Whatever is sent, the answer is one of ours: a status that fits and an error with a code, never a 500. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApiError } from "../../../workers/api/contract.ts";
import { ROUTES } from "../../../workers/api/routes.ts";
import { ADMIN, type Call, call } from "./client.ts";

const RUNS = { numRuns: 250 };

/** What a header may carry at all: the rest is refused before it reaches us. */
const headerText = fc.array(fc.integer({ min: 0x20, max: 0x7e })).map((codes) => String.fromCharCode(...codes).trim());
const junk = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "'",
    '"',
    "%00",
    "\u0000",
    "{{7*7}}",
    "../../etc",
    "-1",
    "1e999",
    "NaN",
    "null",
    "\ud800",
    "a".repeat(5_000),
  ),
);

async function survives(path: string, init: Call): Promise<number> {
  const response = await call(path, init);
  const text = await response.text();
  const shown = `${init.method ?? "GET"} ${path.slice(0, 200)} → ${response.status} ${text.slice(0, 300)}`;
  expect(response.status, shown).toBeLessThan(500);
  if (response.status >= 400) {
    const { error, errors } = JSON.parse(text) as Partial<ApiError> & { errors?: { code: number; message: string }[] };
    // Under /client/v4 it is Cloudflare's envelope.
    expect(String(error?.code ?? errors?.[0]?.code), shown).toMatch(/^([a-z_]+|\d+)$/);
    expect((error ?? errors?.[0])?.message, shown).not.toBe("");
  }
  return response.status;
}

/** Health is about the pipeline, not about the question. */
const routes = fc.constantFrom(...ROUTES.filter((r) => r.path !== "/healthz"));
const withParams = (path: string, values: string[]) => {
  let next = 0;
  return path.replace(/:\w+/g, () => encodeURIComponent((values[next++] ?? "x").toWellFormed()) || "x");
};

describe("hostile", () => {
  it("credentials are refused, whatever they look like", async () => {
    const credential = fc.oneof(
      headerText,
      headerText.map((t) => `Bearer ${t}`),
      fc.string({ unit: fc.constantFrom(..."abcXYZ019"), minLength: 43, maxLength: 43 }).map((t) => `Bearer trl_${t}`),
      fc.nat(5_000).map((n) => `bearer ${"x".repeat(n)}`),
    );
    await fc.assert(
      fc.asyncProperty(routes, credential, fc.nat(250), async (route, authorization, host) => {
        if (route.scope === "public") return;
        const address = `192.0.2.${host}`;
        const status = await survives(withParams(route.path, []), {
          method: route.method,
          headers: { authorization },
          address,
        });
        expect([401, 429]).toContain(status);
      }),
      RUNS,
    );
  });

  it("cookies are refused, whatever they look like", async () => {
    const cookie = fc.oneof(
      headerText,
      headerText.map((t) => `tailrace=${t}`),
      fc.constant(`tailrace=${"a".repeat(43)}`),
    );
    await fc.assert(
      fc.asyncProperty(cookie, async (text) => {
        expect(await survives("/api/v1/tokens", { cookie: text })).toBe(401);
      }),
      RUNS,
    );
  });

  it("paths and parameters are answered with what is wrong with them", async () => {
    const names = fc.constantFrom(
      ...["q", "from", "to", "limit", "before", "script", "prefix", "around"],
      ...["state", "kind", "version", "new_in", "assignee", "sort", "cursor", "after", "invocation", "seq"],
    );
    const close = fc.constantFrom("1", "-1h", "all", "issue:1", "issue:*", "count", "1_1", "v1");
    const params = fc.array(fc.tuple(fc.oneof(names, junk), fc.oneof(junk, close)), { maxLength: 5 });
    const reading = fc.constantFrom(...ROUTES.filter((r) => r.method === "GET" && r.path !== "/healthz"));
    await fc.assert(
      fc.asyncProperty(
        reading,
        fc.array(fc.oneof(junk, fc.constant("1")), { maxLength: 2 }),
        params,
        async (route, path, pairs) => {
          const query = new URLSearchParams(pairs.map(([k, v]) => [k.toWellFormed(), v.toWellFormed()]));
          await survives(`${withParams(route.path, path)}?${query}`, { token: ADMIN });
        },
      ),
      RUNS,
    );
  });

  it("escapes in paths that do not decode do no harm", async () => {
    for (const path of [
      "/api/v1/workers/%",
      "/api/v1/workers/%ff",
      "/api/v1/tokens/%00",
      "/api/v1/%c0%af",
      "/%2e%2e/api",
    ])
      for (const method of ["GET", "DELETE"]) await survives(path, { method, token: ADMIN });
  });

  it("bodies are answered with what is wrong with them", async () => {
    const fields = fc.constantFrom(
      "token",
      "name",
      "scope",
      "q",
      "from",
      "limit",
      "sampling",
      "redaction",
      "worker",
      "ids",
      "state",
      "in",
      "until",
      "into",
      "issues",
      "text",
      "assignee",
      "fingerprints",
      "version",
      "stack",
      "__proto__",
    );
    const object = fc
      .array(fc.tuple(fields, fc.oneof(fc.jsonValue(), junk)))
      .map((pairs) => JSON.stringify(Object.fromEntries(pairs)));
    const body = fc.oneof(
      object,
      fc.json(),
      junk,
      fc.constant("[".repeat(5_000)),
      fc.constant(`{"q":${"9".repeat(400)}}`),
    );
    const writing = fc.constantFrom(
      ...ROUTES.filter((r) => (r.method === "POST" || r.method === "PUT") && !isWork(r.path)),
    );
    await fc.assert(
      fc.asyncProperty(writing, body, fc.nat(250), async (route, text, host) => {
        const { method } = route;
        await survives(withParams(route.path, [host % 2 ? "shop" : "1"]), {
          method,
          token: ADMIN,
          body: text,
          address: `192.0.2.${host}`,
        });
      }),
      RUNS,
    );
  });
});

/** Takes no body, and works each time. */
const isWork = (path: string) => path === "/api/v1/seal" || path === "/api/v1/maintenance";
