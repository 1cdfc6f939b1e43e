/**
 * Thousands of malformed items, bodies, queries and tokens over HTTP: never a
 * 500, and well afterwards. Seeded: fast-check prints the seed and the smallest
 * failing input; TAILRACE_SEED repeats a run.
 */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probeItem } from "../support/probes.ts";
import { ADMIN_TOKEN, startTestStack, type TestStack } from "../support/stack.ts";

const seed = Number(process.env.TAILRACE_SEED ?? Date.now() % 2 ** 31);
/** Requests in flight at once: enough to keep two cores busy. */
const AT_ONCE = 8;
const RUNS = 150;

let tailrace: TestStack;
beforeAll(async () => {
  console.log(`TAILRACE_SEED=${seed}`);
  tailrace = await startTestStack();
});
afterAll(() => tailrace.stop());

interface Shot {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

async function fire(shot: Shot): Promise<number> {
  const init: RequestInit = {
    method: shot.method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...shot.headers },
  };
  if (shot.body !== undefined) init.body = shot.body as BodyInit;
  const response = await fetch(tailrace.stack.url + shot.path, init);
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  // Errors have one shape, whatever caused them.
  if (response.status >= 400 && type.includes("json") && shot.method !== "HEAD") {
    expect(JSON.parse(text).error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  }
  return response.status;
}

/** RUNS × AT_ONCE requests; `allowed` says which answers are right. */
async function bombard(shots: fc.Arbitrary<Shot>, allowed: (status: number) => boolean): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(shots, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (volley) => {
      const statuses = await Promise.all(volley.map(fire));
      statuses.forEach((status, n) => {
        expect(allowed(status), `${status} for ${JSON.stringify(volley[n])}`).toBe(true);
      });
    }),
    { seed, numRuns: RUNS, endOnFailure: true },
  );
  const { status, body } = await tailrace.client.health();
  expect(status, JSON.stringify(body)).toBe(200);
}

const notServerError = (status: number) => status < 500;

/** A real item in which some field, at some depth, has become something else. */
const mutatedItem = fc
  .tuple(fc.nat(100), fc.array(fc.tuple(fc.nat(), fc.jsonValue()), { minLength: 1, maxLength: 4 }))
  .map(([n, changes]) => {
    const item = structuredClone(probeItem("probe-hostile", "b", n));
    for (const [at, value] of changes) mutate(item, at, value);
    return item;
  });

function mutate(node: Record<string, unknown>, at: number, value: unknown): void {
  const keys = Object.keys(node);
  const key = keys[at % keys.length];
  if (key === undefined) return;
  const child = node[key];
  if (typeof child === "object" && child !== null && at % 3 !== 0)
    mutate(child as Record<string, unknown>, at >> 2, value);
  else node[key] = value;
}

const ingest = (body: string | Uint8Array, headers: Record<string, string> = {}): Shot => ({
  method: "POST",
  path: "/api/v1/ingest/tail",
  headers: { "content-type": "application/x-ndjson", ...headers },
  body,
});

test("trace items with anything anywhere", async () => {
  const items = fc.array(fc.oneof(mutatedItem, fc.jsonValue(), fc.object()), { minLength: 1, maxLength: 5 });
  await bombard(
    items.map((list) => ingest(list.map((item) => JSON.stringify(item)).join("\n"))),
    notServerError,
  );
});

test("a bad item is reported by its index, and the good ones are kept", async () => {
  const body = [probeItem("probe-mixed", "m", 1), 17, probeItem("probe-mixed", "m", 2)].map((item) =>
    JSON.stringify(item),
  );
  body.splice(1, 0, "{not json");
  const { status, body: answer } = await tailrace.client.call<{ accepted: number; rejected: { index: number }[] }>(
    "POST",
    "/api/v1/ingest/tail",
    body.join("\n"),
    { "content-type": "application/x-ndjson" },
  );
  expect(status).toBe(200);
  expect(answer.rejected.map((r) => r.index)).toContain(1);
  expect(await tailrace.client.number("script:probe-mixed @probe.batch:m | stats count()")).toBe(2);
});

test("bodies that are not what they say", async () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  const encoding = fc.constantFrom("gzip", "br", "deflate", "identity", "gzip, gzip", "");
  const type = fc.constantFrom("application/json", "application/x-ndjson", "text/plain", "multipart/form-data", "");
  const cut = fc.tuple(fc.string(), fc.nat(60)).map(([text, n]) => new Uint8Array(gzipSync(text).subarray(0, n)));
  await bombard(
    fc
      .tuple(fc.oneof(bytes, cut, fc.json().map(toBytes), fc.string().map(toBytes)), encoding, type)
      .map(([body, contentEncoding, contentType]) =>
        ingest(body, { "content-encoding": contentEncoding, "content-type": contentType }),
      ),
    notServerError,
  );
});

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

test("a body that grows a thousandfold when it is unpacked is refused", async () => {
  const bomb = gzipSync(Buffer.alloc(200 * 2 ** 20, 0x20));
  expect(await fire(ingest(new Uint8Array(bomb), { "content-encoding": "gzip" }))).toBe(413);
  expect((await tailrace.client.health()).status).toBe(200);
});

/** Pieces of the language in any order, and plain noise. */
const queryText = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          "script:",
          "status:>=500",
          "(",
          ")",
          '"',
          "|",
          "stats",
          "count()",
          "p99(duration)",
          "by",
          "bin(1m)",
          "sort",
          "-",
          "AND",
        ],
        ...[
          "NOT",
          "OR",
          "/(a+)+$/",
          "message:/[/",
          "*",
          "..",
          "1e999",
          "limit",
          "fields",
          "where",
          ",",
          "@x",
          "'",
          "\\",
          "\u0000",
        ],
      ),
      { maxLength: 25 },
    )
    .map((parts) => parts.join(" ")),
  fc.nat(3000).map((n) => "(".repeat(n)),
  fc.nat(3000).map((n) => "NOT ".repeat(n)),
);
const when = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.double().map(String),
  fc.constantFrom("-1h", "now", "-99999999d", "0"),
);

test("queries of any text and any range", async () => {
  await bombard(
    fc.oneof(
      fc.tuple(queryText, when, when, when).map(([q, from, to, limit]) => ({
        method: "GET",
        path: `/api/v1/query?${new URLSearchParams({ q: q.slice(0, 3000), from, to, limit })}`,
      })),
      fc.tuple(queryText, fc.jsonValue()).map(([q, rest]) => ({
        method: "POST",
        path: "/api/v1/query",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(typeof rest === "object" && rest !== null ? { q, ...rest } : rest),
      })),
      queryText.map((q) => ({
        method: "POST",
        path: "/api/v1/query",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify({ q, from: "-1h", to: "now" }),
      })),
    ),
    notServerError,
  );
});

test("a regular expression that would hang elsewhere is answered", async () => {
  const { client } = tailrace;
  const item = probeItem("probe-regex", "r", 1);
  item.logs = [{ timestamp: Date.now(), level: "info", message: [`${"a".repeat(5000)}!`] }];
  await client.ingest([item]);
  expect(await client.number("script:probe-regex message:/(a+)+$/ | stats count()")).toBe(0);
  expect(await client.number("script:probe-regex message:/(a+)+!$/ | stats count()")).toBe(1);
});

/** What fetch lets through as a header value. */
const headerText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
  maxLength: 300,
});

test("tokens and cookies that nobody gave out: 401, or 429 when there are too many", async () => {
  const path = fc.constantFrom("/api/v1/query?q=*", "/api/v1/tokens", "/api/v1/overview", "/api/v1/session");
  await bombard(
    fc.tuple(path, headerText, headerText, fc.boolean()).map(([path, token, cookie, bearer]) => ({
      method: "GET",
      path,
      headers: { authorization: bearer ? `Bearer ${token}` : token, cookie },
    })),
    (status) => status === 401 || status === 429 || status === 400,
  );
});

test("any path with any method and any body", async () => {
  const segment = fc.oneof(
    fc.string({ maxLength: 30 }).map(encodeURIComponent),
    fc.constantFrom("..", "%2e%2e", "%00", "%", "%ff"),
  );
  const known = fc.constantFrom(
    "workers",
    "fields",
    "invocations",
    "tokens",
    "settings",
    "audit",
    "ledger",
    "overview",
  );
  await bombard(
    fc
      .tuple(
        fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"),
        fc.oneof(known, segment),
        fc.array(segment, { maxLength: 3 }),
        fc.jsonValue(),
      )
      .map(([method, first, rest, body]) => ({
        method,
        path: `/api/v1/${[first, ...rest].join("/")}`,
        ...(method === "GET" || method === "HEAD"
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      })),
    notServerError,
  );
});
