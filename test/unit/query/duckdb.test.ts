/** The same questions to Tailrace and to DuckDB over the same segments: one answer. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { type Bucket, openBucket } from "../../support/duckdb.ts";
import { ask, type Store, storeOf } from "../../support/query.ts";
import { seeded } from "../../support/segments.ts";

const START = Date.UTC(2026, 10, 20, 10) * 1_000;
const random = seeded(7);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;

function event(i: number): TailraceEvent {
  const invocation = i % 3 === 0;
  const outcome = pick(["ok", "ok", "ok", "exception", "canceled"]);
  const weight = outcome === "ok" ? pick([1, 1, 10]) : 1;
  return {
    time: START + i * 977_000,
    kind: invocation ? "invocation" : "log",
    script: "shop",
    invocation_id: Math.floor(i / 3)
      .toString(16)
      .padStart(32, "0"),
    seq: i % 3,
    sample_weight: weight,
    outcome,
    version_id: pick(["v1", "v2"]),
    message: `${pick(["card declined", "Card Declined", "payment settled", "timeout after"])} ${Math.floor(random() * 1000)} ms`,
    status: pick([200, 200, 404, 500, 503]),
    route: pick(["/", "/cart", "/products/:id"]),
    ...(invocation ? { duration: Math.round(Math.exp(random() * 7) * 1_000) / 1_000, cpu_time: random() * 10 } : {}),
    attributes: {
      "user.id": `u${Math.floor(random() * 500)}`,
      ...(i % 5 === 0 ? { "cart.size": Math.floor(random() * 9) } : {}),
    },
  };
}

let store: Store;
let bucket: Bucket;

beforeAll(async () => {
  const events = Array.from({ length: 12_000 }, (_, i) => event(i));
  store = storeOf([], [events.slice(0, 5_000), events.slice(5_000, 5_001), events.slice(5_001)]);
  bucket = await openBucket();
  let i = 0;
  for (const bytes of store.objects.values()) {
    await bucket.put(`events/script=shop/date=2026-11-20/hour=10/${i++}.parquet`, bytes);
  }
});
afterAll(() => bucket?.close());

/** `[query, SQL]`; the SQL's columns are in the order of the query's. */
const QUESTIONS: [string, string][] = [
  ["| stats count()", "SELECT sum(sample_weight) FROM events"],
  [
    "status:>=500 | stats count() by route",
    `SELECT "http.route", sum(sample_weight) FROM events WHERE "http.response.status_code" >= 500 GROUP BY 1`,
  ],
  [
    `"card declined" | stats count() by version`,
    `SELECT "cloudflare.script_version.id", sum(sample_weight) FROM events WHERE message ILIKE '%card declined%' GROUP BY 1`,
  ],
  [
    "message:/^(card|Card) [dD]eclined [0-9]{3} / | stats count()",
    "SELECT sum(sample_weight) FROM events WHERE regexp_matches(message, '^(card|Card) [dD]eclined [0-9]{3} ')",
  ],
  [
    "kind:invocation | stats sum(duration), avg(duration), min(cpu), max(cpu) by outcome",
    `SELECT "cloudflare.outcome", sum(duration_ms * sample_weight), sum(duration_ms * sample_weight) / sum(sample_weight),
     min("cloudflare.cpu_time_ms"), max("cloudflare.cpu_time_ms") FROM events WHERE kind = 'invocation' GROUP BY 1`,
  ],
  [
    "weight:1 | stats p50(duration), p90(duration), p99(duration), p99.9(duration) by version",
    `SELECT "cloudflare.script_version.id", quantile_cont(duration_ms, 0.5), quantile_cont(duration_ms, 0.9),
     quantile_cont(duration_ms, 0.99), quantile_cont(duration_ms, 0.999) FROM events WHERE sample_weight = 1 GROUP BY 1`,
  ],
  [
    "| stats p99(duration) by route",
    `SELECT r, quantile_cont(d, 0.99) FROM (SELECT "http.route" AS r, duration_ms AS d, unnest(range(sample_weight::INT)) FROM events) GROUP BY 1`,
  ],
  [
    "| stats count_distinct(user.id) by status",
    `SELECT "http.response.status_code", count(DISTINCT "user.id") FROM events GROUP BY 1`,
  ],
  [
    "| stats count() by bin(5m)",
    "SELECT epoch_us(time) // 300000000 * 300000000, sum(sample_weight) FROM events GROUP BY 1",
  ],
  [
    "cart.size:* | stats count(), avg(cart.size)",
    `SELECT sum(sample_weight), sum("cart.size" * sample_weight) / sum(sample_weight) FROM events WHERE "cart.size" IS NOT NULL`,
  ],
  [
    "route:/prod* -status:200 (version:v1 OR user.id:u7) | stats count() by status",
    `SELECT "http.response.status_code", sum(sample_weight) FROM events WHERE starts_with("http.route", '/prod')
     AND "http.response.status_code" <> 200 AND ("cloudflare.script_version.id" = 'v1' OR "user.id" = 'u7') GROUP BY 1`,
  ],
  [
    "| stats count() as n by user.id | where n > 60 | sort n desc, user.id | limit 5",
    `SELECT "user.id", sum(sample_weight) AS n FROM events GROUP BY 1 HAVING n > 60 ORDER BY n DESC, 1 LIMIT 5`,
  ],
  [
    "failed:true | stats count(), count(status:500..599) as bad",
    `SELECT sum(sample_weight), sum(sample_weight) FILTER ("http.response.status_code" >= 500) FROM events
     WHERE "cloudflare.outcome" <> 'canceled' AND ("http.response.status_code" >= 500 OR "cloudflare.outcome" <> 'ok')`,
  ],
  [
    "duration:>500 | sort duration desc | limit 20 | fields time, duration, route",
    `SELECT epoch_us(time), duration_ms, "http.route" FROM events WHERE duration_ms > 500 ORDER BY duration_ms DESC, time DESC LIMIT 20`,
  ],
];

describe("DuckDB agrees", () => {
  test.each(QUESTIONS)("%s", async (q, sql) => {
    const ours = await ask(store, q);
    const theirs = (await bucket.sql(sql.replace(/FROM events/g, `FROM ${bucket.events}`))).map((row) =>
      Object.values(row),
    );
    expect(theirs.length).toBeGreaterThan(0);
    expect(comparable(ours.rows)).toEqual(comparable(theirs));
  });
});

/** In one order, and sums of doubles to twelve digits: they depend on the order of adding. */
function comparable(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((r) => JSON.stringify(r.map((v) => (typeof v === "number" ? Number(v.toPrecision(12)) : v)))).sort();
}
