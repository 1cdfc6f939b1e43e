/**
 * What Tailrace's ingest is compared with, in the same run and on the same
 * bytes: JSON.parse alone, the floor of any JSON ingest, and one D1 row per
 * event with two indexes.
 */
import { median, seconds } from "./numbers.mjs";

/** Statements per D1 batch: larger ones gain nothing here. */
const ROWS_PER_D1_BATCH = 500;

/** Events per second of JSON.parse, line by line, in this Node (the same engine that workerd has). */
export function jsonParseRate(loads, runs) {
  const rates = [];
  for (let run = 0; run < runs; run++) {
    let events = 0;
    const started = performance.now();
    for (const load of loads) {
      for (let from = 0, to = load.body.indexOf("\n"); to >= 0; from = to + 1, to = load.body.indexOf("\n", from)) {
        JSON.parse(load.body.slice(from, to));
      }
      events += load.events;
    }
    rates.push(events / seconds(started));
  }
  return median(rates);
}

/** The peer: parses, and writes a row per event with an index on time and one on script and time. */
const D1_WORKER = `
export default {
  async fetch(request, env) {
    const insert = env.DB.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?)");
    const rows = [];
    for (const line of (await request.text()).split("\\n")) {
      if (line === "") continue;
      const item = JSON.parse(line);
      const { logs, exceptions, ...rest } = item;
      rows.push(insert.bind(item.eventTimestamp, item.scriptName, "invocation", item.outcome, JSON.stringify(rest)));
      for (const log of logs)
        rows.push(insert.bind(log.timestamp, item.scriptName, "log", log.level, JSON.stringify(log.message)));
      for (const e of exceptions)
        rows.push(insert.bind(e.timestamp, item.scriptName, "exception", e.name, JSON.stringify(e)));
    }
    for (let at = 0; at < rows.length; at += ${ROWS_PER_D1_BATCH})
      await env.DB.batch(rows.slice(at, at + ${ROWS_PER_D1_BATCH}));
    return new Response(String(rows.length));
  },
};`;

export async function d1RowRate(loads) {
  const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      modules: true,
      script: D1_WORKER,
      compatibilityDate: "2026-11-01",
      d1Databases: { DB: "bench" },
    }),
  );
  try {
    const db = await mf.getD1Database("DB");
    await db.exec("CREATE TABLE events (time INTEGER, script TEXT, kind TEXT, detail TEXT, body TEXT)");
    await db.exec("CREATE INDEX events_time ON events (time)");
    await db.exec("CREATE INDEX events_script_time ON events (script, time)");
    const url = await mf.ready;
    let events = 0;
    const started = performance.now();
    for (const { body } of loads) {
      const response = await fetch(url, { method: "POST", body });
      events += Number(await response.text());
    }
    return events / seconds(started);
  } finally {
    await mf.dispose();
  }
}
