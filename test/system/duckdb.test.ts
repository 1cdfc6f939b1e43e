/**
 * A stranger with DuckDB and a copy of the bucket gets the answers that
 * Tailrace gives: the same questions in both languages, on what the running
 * stack wrote.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bodies } from "../../bench/items.mjs";
import { downloadBucket } from "../support/bucket.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const ITEMS = 6_000;
const HOUR_MS = 3_600_000;
/** Several hours, so several partitions; all in the past, so both sides see the same. */
const SPAN_MS = 5 * HOUR_MS;

let tailrace: TestStack;
let duck: DuckDBConnection;
const folder = mkdtempSync(join(tmpdir(), "tailrace-duckdb-"));
const to = Date.now() - 60_000;
const from = to - SPAN_MS;
let sent = 0;

beforeAll(async () => {
  tailrace = await startTestStack();
  for (const load of bodies({ seed: 7, count: ITEMS, perBody: 500, from, spanMs: SPAN_MS })) {
    const answer = await tailrace.client.call<{ accepted: number }>("POST", "/api/v1/ingest/tail", load.body, {
      "content-type": "application/x-ndjson",
    });
    expect(answer.body.accepted).toBe(load.items);
    sent += load.events;
  }
  await tailrace.client.seal();
  const keys = await downloadBucket(tailrace.stack, folder);
  expect(keys.length).toBeGreaterThan(5);
  for (const key of keys)
    expect(key).toMatch(/^events\/script=[^/]+\/date=\d{4}-\d\d-\d\d\/hour=\d\d\/[^/]+\.parquet$/);
  duck = await (await DuckDBInstance.create()).connect();
  await duck.run("SET TimeZone = 'UTC'");
  const files = `'${folder}/events/**/*.parquet', union_by_name = true, hive_partitioning = true`;
  await duck.run(`CREATE VIEW events AS SELECT * FROM read_parquet(${files})`);
});
afterAll(async () => {
  await tailrace.stop();
  rmSync(folder, { recursive: true });
});

/** Rows as text, numbers to nine digits, in one order: neither language promises one. */
function comparable(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((row) => JSON.stringify(row.map(plain))).sort();
}

function plain(value: unknown): unknown {
  if (value === null || typeof value === "boolean") return value;
  const number = Number(value);
  return Number.isFinite(number) && value !== "" ? Number(number.toPrecision(9)) : String(value);
}

const COUNT = "CAST(sum(sample_weight) AS DOUBLE)";
const INVOCATIONS = "kind = 'invocation'";

test.each([
  ["* | stats count()", `SELECT ${COUNT} FROM events`],
  ["* | stats count() by kind", `SELECT kind, ${COUNT} FROM events GROUP BY 1`],
  ["* | stats count() by script", `SELECT "faas.name", ${COUNT} FROM events GROUP BY 1`],
  [
    "script:checkout | stats count() by script",
    `SELECT script, ${COUNT} FROM events WHERE script = 'checkout' GROUP BY 1`,
  ],
  [
    "kind:invocation status:>=400 | stats count() by status",
    `SELECT "http.response.status_code", ${COUNT} FROM events WHERE ${INVOCATIONS} AND "http.response.status_code" >= 400 GROUP BY 1`,
  ],
  [
    "kind:invocation | stats sum(duration), min(duration), max(duration), avg(cpu) by version",
    `SELECT "cloudflare.script_version.id", sum(duration_ms), min(duration_ms), max(duration_ms), avg("cloudflare.cpu_time_ms")
       FROM events WHERE ${INVOCATIONS} GROUP BY 1`,
  ],
  [
    "kind:invocation country:DE -outcome:ok | stats count() by outcome, colo",
    `SELECT "cloudflare.outcome", "cloudflare.colo", ${COUNT} FROM events
       WHERE ${INVOCATIONS} AND "geo.country.code" = 'DE' AND "cloudflare.outcome" <> 'ok' GROUP BY 1, 2`,
  ],
  [
    "kind:log cart.items:3..5 user.plan:pro | stats count() by cache",
    `SELECT "cache", ${COUNT} FROM events
       WHERE kind = 'log' AND "cart.items" BETWEEN 3 AND 5 AND "user.plan" = 'pro' GROUP BY 1`,
  ],
  [
    'kind:exception "card declined" | stats count() by name',
    `SELECT name, ${COUNT} FROM events WHERE kind = 'exception' AND message LIKE '%card declined%' GROUP BY 1`,
  ],
  [
    "kind:log message:loaded* | stats count() by level",
    `SELECT severity_text, ${COUNT} FROM events WHERE kind = 'log' AND message LIKE 'loaded%' GROUP BY 1`,
  ],
  [
    "kind:log message:/^(priced|ranked) (red|blue)/ | stats count()",
    `SELECT ${COUNT} FROM events WHERE kind = 'log' AND regexp_matches(message, '^(priced|ranked) (red|blue)')`,
  ],
  [
    "kind:log user.id:* | stats count_distinct(user.id)",
    `SELECT count(DISTINCT "user.id") FROM events WHERE kind = 'log'`,
  ],
  [
    "kind:invocation (script:search OR script:orders) | stats count() by script, event_type",
    `SELECT "faas.name", "cloudflare.handler_type", ${COUNT} FROM events
       WHERE ${INVOCATIONS} AND "faas.name" IN ('search', 'orders') GROUP BY 1, 2`,
  ],
  [
    "kind:invocation | stats count() as n by route | where n:>300",
    `SELECT "http.route", ${COUNT} AS n FROM events WHERE ${INVOCATIONS} GROUP BY 1 HAVING n > 300`,
  ],
])("%s", async (q, sql) => {
  const answer = await tailrace.client.query(q, from - 1, to + HOUR_MS);
  const reader = await duck.runAndReadAll(sql);
  expect(answer.rows.length).toBeGreaterThan(0);
  expect(comparable(answer.rows)).toEqual(comparable(reader.getRowsJson()));
});

test("all that was sent is in the files, at the hour that the path says", async () => {
  const reader = await duck.runAndReadAll(
    `SELECT count(*), count(*) FILTER (date_trunc('hour', time) <> CAST("date" || ' ' || "hour" || ':00:00' AS TIMESTAMP)) FROM events`,
  );
  expect(comparable(reader.getRowsJson())).toEqual(comparable([[sent, 0]]));
});

test("after compaction, what the catalog lists still gives the same count", async () => {
  await tailrace.client.maintenance();
  expect(await tailrace.client.number("* | stats count()", from - 1, to + HOUR_MS)).toBe(sent);
});
