/** What a million observed invocations cost on Cloudflare's list, from counted operations. */
import { show, table } from "./numbers.mjs";

/** $ per million operations (paid plan, November 2026; docs/… of the platform). CPU: $ per million CPU-ms. */
const PRICE = { doRequests: 0.15, doRows: 1, d1Rows: 1, r2Puts: 4.5, cpuMs: 0.02 };
const R2_GB_MONTH = 0.015;
/** $ per million GB-s that a Durable Object is awake, at 128 MB. */
const DO_GB_SECOND = 12.5;
const DO_GB = 0.128;
/** Cloudflare Observability from December 2026, per million events of average size. */
export const INCUMBENT_PER_MILLION = 1.21;

/** $ for a million appends with what they write, whatever they hold. */
export function appendCost({ doRequests, doRows }) {
  return PRICE.doRequests + (doRows / doRequests) * PRICE.doRows;
}

/**
 * @param {{ tailItems: number, doRequests: number, doRows: number, alarms: number, d1Rows: number, r2Puts: number,
 *   seconds: number }} counts
 * @param {{ cpuMsPerInvocation: number, bytesPerEvent: number, eventsPerInvocation: number, shards: number }} facts
 */
export function costTable(counts, facts) {
  const perMillion = (n) => (n / counts.tailItems) * 1e6;
  const rate = counts.tailItems / counts.seconds;
  const rows = [
    [
      "Durable Object requests (appends, alarms)",
      perMillion(counts.doRequests + counts.alarms),
      PRICE.doRequests / 1e6,
    ],
    [
      "Durable Object rows written (log, deletes, alarms)",
      perMillion(counts.doRows + counts.alarms),
      PRICE.doRows / 1e6,
    ],
    ["R2 puts", perMillion(counts.r2Puts), PRICE.r2Puts / 1e6],
    ["D1 rows written (with indexes)", perMillion(counts.d1Rows), PRICE.d1Rows / 1e6],
    ["CPU-ms (Collector and Ingester)", facts.cpuMsPerInvocation * 1e6, PRICE.cpuMs / 1e6],
    [
      `Durable Object GB-s at ${show(rate)} invocations/s over ${facts.shards} objects`,
      (1e6 / rate) * DO_GB * facts.shards,
      DO_GB_SECOND / 1e6,
    ],
    ["R2 GB-months, kept 30 days", (facts.bytesPerEvent * facts.eventsPerInvocation * 1e6) / 1e9, R2_GB_MONTH],
  ];
  const known = rows.filter(([, amount]) => !Number.isNaN(amount));
  const total = known.reduce((sum, [, amount, price]) => sum + amount * price, 0);
  return {
    total,
    markdown: table(
      ["per million invocations", "amount", "$"],
      [
        ...known.map(([name, amount, price]) => [name, show(amount), (amount * price).toFixed(4)]),
        ["**Tailrace, all of it**", "", `**${total.toFixed(3)}**`],
        ["Cloudflare Observability, per million events", "", INCUMBENT_PER_MILLION.toFixed(2)],
      ],
    ),
  };
}
