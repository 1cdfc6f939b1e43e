/**
 * What Tailrace's ingest is compared with, in the same run and on the same
 * bytes: JSON.parse alone, the floor of any JSON ingest, and one D1 row per
 * event with two indexes.
 */
import { median, seconds } from "./numbers.mjs";

/** Statements per D1 batch: larger ones gain nothing here. */
const ROWS_PER_D1_BATCH = 500;
/** The core columns of an event; everything else is JSON in the last one. */
const D1_COLUMNS = [
  ...["time", "kind", "script", "invocation_id", "seq", "version_id", "version_tag", "event_type", "outcome", "level"],
  ...["message", "name", "stack", "duration", "cpu_time", "method", "url", "status", "colo", "country", "attributes"],
];

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

/** The peer: parses, and writes every event as a row of the same columns; no redaction, no sampling, no ledger. */
const D1_WORKER = `
export default {
  async fetch(request, env) {
    const insert = env.DB.prepare("INSERT INTO events VALUES (${D1_COLUMNS.map(() => "?").join(", ")})");
    const rows = [];
    for (const line of (await request.text()).split("\\n")) {
      if (line === "") continue;
      const item = JSON.parse(line);
      const { request: http, response } = item.event;
      const id = crypto.randomUUID();
      let seq = 0;
      const add = (time, kind, level, message, name, stack, attributes) =>
        rows.push(insert.bind(time, kind, item.scriptName, id, seq++, item.scriptVersion.id, item.scriptVersion.tag,
          http ? "fetch" : "other", item.outcome, level, message, name, stack, item.wallTime, item.cpuTime,
          http?.method ?? null, http?.url ?? null, response?.status ?? null, http?.cf.colo ?? null,
          http?.cf.country ?? null, attributes));
      add(item.eventTimestamp, "invocation", null, null, null, null, JSON.stringify(item.event));
      for (const { timestamp, level, message } of item.logs)
        add(timestamp, "log", level, message[0], null, null, JSON.stringify(message[1] ?? null));
      for (const { timestamp, name, message, stack } of item.exceptions)
        add(timestamp, "exception", "error", message, name, stack, null);
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
    await db.exec(`CREATE TABLE events (${D1_COLUMNS.join(", ")})`);
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
