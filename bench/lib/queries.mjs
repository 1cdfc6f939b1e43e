/** A million sealed events: how long a filter + group by + p99 and a substring search take, cold and warm. */
import { median, seconds } from "./numbers.mjs";

const WARM_RUNS = 5;
/** The same question in ClickHouse's SQL beside it. */
export const QUERIES = [
  {
    name: "filter + group by + p99",
    q: "script:storefront kind:invocation status:>=200 | stats count(), p99(duration) by route",
    sql: `SELECT "http.route", sum(sample_weight), quantile(0.99)(duration_ms) FROM bench.events
          WHERE "faas.name" = 'storefront' AND kind = 'invocation' AND "http.response.status_code" >= 200 GROUP BY 1`,
  },
  {
    name: "substring search",
    q: '"insufficient funds" | stats count()',
    sql: `SELECT sum(sample_weight) FROM bench.events
          WHERE message ILIKE '%insufficient funds%' OR "exception.stacktrace" ILIKE '%insufficient funds%'`,
  },
];

/**
 * Cold is the first query of a process that has just started; each query gets a process of its own.
 * `onRestart` is told of the stack that runs from then on.
 */
export async function measureQueries(first, { from, to }, onRestart) {
  const results = [];
  let bench = first;
  for (const { name, q } of QUERIES) {
    bench = await bench.restart();
    onRestart(bench);
    const ask = async () => {
      const started = performance.now();
      const answer = await bench.api.query(q, from, to + 1);
      return { took: seconds(started), answer };
    };
    const cold = await ask();
    const warm = [];
    for (let run = 0; run < WARM_RUNS; run++) warm.push((await ask()).took);
    results.push({
      name,
      q,
      cold: cold.took,
      warm: median(warm),
      stats: cold.answer.stats,
      rows: cold.answer.rows.length,
    });
  }
  return results;
}
