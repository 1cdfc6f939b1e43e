/**
 * Ingest through POST /api/v1/ingest/tail until everything is sealed, against
 * JSON.parse and D1 rows; and what the sealed events weigh against gzip NDJSON.
 */
import { gzipSync } from "node:zlib";
import { bodies } from "../items.mjs";
import { loops } from "./http.mjs";
import { median, seconds } from "./numbers.mjs";
import { d1RowRate, jsonParseRate } from "./peers.mjs";
import { gzipNdjsonBytes } from "./segments.mjs";
import { benchStack } from "./stack.mjs";

const ITEMS_PER_BODY = 500;
const SENDERS = 4;
const HOUR_MS = 3_600_000;
const WARM_UPS = 2;
const RUNS = 5;
const PARSE_RUNS = 3;

/** Sends all and seals; events per second from the first byte to the last segment in the catalog. */
async function ingestRate(api, loads) {
  const started = performance.now();
  let events = 0;
  await loops(SENDERS, async (n) => {
    const load = loads[n];
    if (load === undefined) return false;
    const answer = await api.ingest(load.body);
    if (answer.accepted !== load.items) throw new Error(`only ${answer.accepted} of ${load.items} items were kept`);
    events += load.events;
    return true;
  });
  await api.seal();
  return { sealed: events / seconds(started) };
}

function loadsOf(seed, count) {
  return [...bodies({ seed, count, perBody: ITEMS_PER_BODY, from: Date.now() - HOUR_MS, spanMs: HOUR_MS })];
}

/**
 * Peers and Tailrace take turns, so that what else the machine does hits them
 * alike; each ratio is the median of the turns' own ratios.
 * @param {{ items: number, d1Items: number }} size
 */
export async function measureIngest({ items, d1Items }) {
  const bench = await benchStack();
  try {
    // The first runs compile; they do not count.
    for (let run = 0; run < WARM_UPS; run++) await ingestRate(bench.api, loadsOf(3 + run, items));
    jsonParseRate(loadsOf(2, d1Items), 1);
    const turns = [];
    for (let run = 0; run < RUNS; run++) {
      const loads = loadsOf(10 + run, items);
      const parse = jsonParseRate(loads, PARSE_RUNS);
      const { sealed } = await ingestRate(bench.api, loads);
      const d1 = await d1RowRate(loads.slice(0, Math.ceil(d1Items / ITEMS_PER_BODY)));
      turns.push({ parse, sealed, d1, toParse: sealed / parse, toD1: sealed / d1 });
    }
    const of = (key) => median(turns.map((turn) => turn[key]));
    return { parse: of("parse"), sealed: of("sealed"), d1: of("d1"), toParse: of("toParse"), toD1: of("toD1") };
  } finally {
    await bench.stop();
  }
}

/**
 * Fills a stack with at least `events` sealed, compacted events, spread over `spanMs`.
 * @returns how many events of which size, and where they are in time
 */
export async function fill(bench, { events, spanMs }) {
  const to = Date.now();
  const from = to - spanMs;
  let sent = 0;
  const started = performance.now();
  const source = bodies({ seed: 99, count: Math.ceil(events / 2.4), perBody: ITEMS_PER_BODY, from, spanMs });
  await loops(SENDERS, async () => {
    const { value: load } = source.next();
    if (load === undefined || sent >= events) return false;
    sent += load.events;
    await bench.api.ingest(load.body);
    return true;
  });
  await bench.api.seal();
  const secondsToFill = seconds(started);
  const sealedBytes = await bucketBytes(bench.stack);
  await bench.api.maintenance();
  const sample = loadsOf(99, 40_000);
  const gzipItems = gzipSync(sample.map((load) => load.body).join("")).length;
  return {
    events: sent,
    from,
    to,
    secondsToFill,
    sealedBytes,
    compactedBytes: await bucketBytes(bench.stack),
    gzipBytesPerEvent: await gzipNdjsonBytes(bench.stack),
    gzipItemsPerEvent: gzipItems / sum(sample, (load) => load.events),
  };
}

/** Bytes of the segments that the catalog lists (not of those that wait to be deleted). */
async function bucketBytes(stack) {
  const db = await stack.mf.getD1Database("DB", "tailrace");
  const row = await db.prepare("SELECT SUM(bytes) AS bytes FROM segments").first();
  return row.bytes;
}

const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
