/** From what `tail()` is called with to the issue in D1, by the way of a source map in R2. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { shardName } from "../../../workers/buffer/contract.ts";
import { putRawMap } from "../../../workers/errors/maps/raw.ts";
import { handleTail } from "../../../workers/ingest/tail.ts";
import { rawMap } from "../../support/source-maps.ts";
import { eventsIn, item, uniqueScript } from "./support.ts";

interface IssueRow {
  fingerprint: string;
  awaits_map: string;
  count: number;
  issue_id: number;
  culprit: string;
  kind: string;
  title: string;
}

async function tail(items: unknown[]) {
  const ctx = createExecutionContext();
  await handleTail(items, env, ctx);
  await waitOnExecutionContext(ctx);
}

async function issuesOf(script: string): Promise<IssueRow[]> {
  await env.INGESTER.getByName(shardName(script, 0)).flushIssues();
  const { results } = await env.DB.prepare(
    `SELECT f.fingerprint, f.awaits_map, f.count, f.issue_id, i.culprit, i.kind, i.title FROM fingerprints f
     JOIN issues i ON i.id = f.issue_id WHERE f.script = ? AND f.count > 0 ORDER BY f.first_seen`,
  )
    .bind(script)
    .all<IssueRow>();
  return results;
}

const STACK = "    at t (file:///index.js:1:1)\n    at Object.fetch (file:///index.js:1:21)";

const thrown = (script: string, version: string, overrides: Record<string, unknown> = {}) =>
  item(script, {
    event: { request: { url: "https://shop.test/cart", method: "GET", headers: {} } },
    outcome: "exception",
    scriptVersion: { id: version },
    exceptions: [{ timestamp: Date.now(), name: "TypeError", message: "no price", stack: STACK }],
    ...overrides,
  });

/** A map of its own for each Worker. Line 1: column 1 is line 10 of cart.ts, column 21 is line 30 of index.ts where `priceOf` is called. */
async function upload(script: string, version: string) {
  const map = rawMap(
    [
      [
        [0, 0, 9, 2],
        [20, 1, 29, 4, 0],
      ],
    ],
    { sources: ["../src/cart.ts", "../src/index.ts"], names: ["priceOf"], sourcesContent: [script, "index"] },
  );
  const request = new Request("https://tailrace.test/", { method: "PUT", body: JSON.stringify(map) });
  const stored = await putRawMap(env, { script, versionId: version }, "index.js", request, {
    actor: "test",
    now: Date.now(),
  });
  expect(stored).toMatchObject({ ok: true });
}

test("the first error of a version with a map has its source from the start", async () => {
  const script = uniqueScript();
  await upload(script, "v1");
  await tail([thrown(script, "v1")]);
  const [exception] = (await eventsIn(script)).filter((e) => e.kind === "exception");
  expect(exception?.fingerprint).toMatch(/^v1-[0-9a-f]{24}$/);
  expect(await issuesOf(script)).toMatchObject([
    { fingerprint: exception?.fingerprint, awaits_map: "", count: 1, kind: "exception", title: "no price" },
  ]);
  expect((await issuesOf(script))[0]?.culprit).toContain("src/cart.ts");
});

test("a thousand at once, in calls of their own, are one issue of a thousand, though its map had to be read first", async () => {
  const script = uniqueScript();
  await upload(script, "v1");
  await Promise.all(Array.from({ length: 1_000 }, () => tail([thrown(script, "v1")])));
  const events = (await eventsIn(script)).filter((e) => e.kind === "exception");
  expect(events.length).toBe(1_000);
  expect(new Set(events.map((e) => e.fingerprint)).size).toBe(1);
  expect(await issuesOf(script)).toMatchObject([{ count: 1_000, awaits_map: "" }]);
});

test("a version without a map waits for it; another version's map is not taken", async () => {
  const script = uniqueScript();
  await upload(script, "v1");
  await tail([thrown(script, "v1"), thrown(script, "v2")]);
  const issues = await issuesOf(script);
  expect(issues.map(({ awaits_map }) => awaits_map).sort()).toEqual(["", "v2"]);
  expect(issues.find(({ awaits_map }) => awaits_map === "v2")?.fingerprint).toMatch(/^u1-/);
});

test("an error whose map cannot be read is kept, raw, and waits for it", async () => {
  const script = uniqueScript();
  const kinds = async () => (await eventsIn(script)).map((e) => [e.kind, e.fingerprint?.slice(0, 3)]);
  await upload(script, "v1");
  for (const { key } of (await env.BUCKET.list({ prefix: "maps/" })).objects) await env.BUCKET.delete(key);
  await tail([thrown(script, "v1")]);
  expect(await kinds()).toEqual([
    ["invocation", undefined],
    ["exception", "u1-"],
  ]);
});
