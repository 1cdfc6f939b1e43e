/**
 * Forwarding to destinations, through the real stack and real integrations: how
 * fast, what it costs the ingest, and what an outage of eight hours loses,
 * doubles, and takes to catch up. Receivers are in a process of their own.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../../scripts/lib/toolchain.mjs";
import { bodies } from "../items.mjs";
import { loops } from "./http.mjs";
import { median, seconds, show } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const ITEMS_PER_BODY = 500;
const SENDERS = 4;
const HOUR_MS = 3_600_000;
const OUTAGE_HOURS = 8;
const POLL_MS = 200;
/** Longer than Ingesters remember how busy they were. */
const BURST_MS = 2_000;
/** Nudges come every five seconds. */
const IDLE_MS = 6_000;
/** A bench that does not get anywhere ends with a reason. */
const PATIENCE_MS = 600_000;
/** Events that one item of the load comes to, about. */
const EVENTS_PER_ITEM = 2.5;

const ALLOW = { platform: { bindings: { TAILRACE_ALLOW_LOOPBACK: "true" } } };

/** @param {{ forward: number, ingest: { items: number, turns: number }, outage: number }} size events; items; events */
export async function measureDelivery({ forward, ingest, outage }) {
  const sink = await startSink();
  try {
    return {
      forward: await forwardRate(sink, forward),
      ingest: await ingestBeside(sink, ingest),
      outage: await outageOf(sink, outage),
    };
  } finally {
    sink.stop();
  }
}

async function startSink() {
  const child = fork(join(ROOT, "bench/lib/delivery-sink-child.mjs"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const answer = () =>
    new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", (code) => reject(new Error(`the sink ended (${code})`)));
    });
  const ports = await answer();
  const ask = (say) => {
    const answered = answer();
    child.send({ say });
    return answered;
  };
  return {
    taking: `http://127.0.0.1:${ports.port}`,
    hanging: `http://127.0.0.1:${ports.hanging}`,
    ask,
    stop: () => child.kill(),
  };
}

const otlp = (endpoint, feeds) => ({ integration: "otlp", values: { endpoint }, rules: { feeds } });

async function connect(api, name, given) {
  const { destination } = await api.call("POST", "/api/v1/destinations", JSON.stringify({ name, ...given }));
  return destination.id;
}

const healthOf = async (api, id) => (await api.call("GET", `/api/v1/destinations/${id}`)).destination.health;

/** Until so many are delivered; ms since the epoch. */
async function untilDelivered(api, wanted) {
  const started = Date.now();
  const done = new Map();
  while (done.size < wanted.length) {
    if (Date.now() - started > PATIENCE_MS) throw new Error("what was to be delivered was not, in ten minutes");
    await sleep(POLL_MS);
    for (const { id, items } of wanted) {
      if (done.has(id)) continue;
      const { delivered } = await healthOf(api, id);
      if (delivered >= items) done.set(id, Date.now());
    }
  }
  return Math.max(...done.values());
}

async function untilIdle(api, ids) {
  const started = Date.now();
  let before;
  while (Date.now() - started < PATIENCE_MS) {
    const found = await Promise.all(ids.map((id) => healthOf(api, id)));
    const delivered = found.map((health) => health.delivered).join();
    if (delivered === before && found.every(({ queued }) => queued === 0)) return;
    before = delivered;
    await sleep(IDLE_MS);
  }
  throw new Error("deliveries did not come to an end");
}

/** Fills the stack: how many events there are of each kind. */
async function ingestAll(api, { items, spanMs, seed }) {
  const loads = bodies({ seed, count: items, perBody: ITEMS_PER_BODY, from: Date.now() - spanMs, spanMs });
  await loops(SENDERS, async () => {
    const { value: load } = loads.next();
    if (load === undefined) return false;
    const { accepted } = await api.ingest(load.body);
    if (accepted !== load.items) throw new Error(`only ${accepted} of ${load.items} items were kept`);
    return true;
  });
  const { rows } = await api.query("* | stats count() by kind", "-9h", "now");
  const count = (kind) => rows.find(([name]) => name === kind)?.[1] ?? 0;
  return { logs: count("log"), traces: count("invocation"), errors: count("exception") };
}

/** Events that wait in the store, to one sink: one core, for workerd does all of it in one thread. */
async function forwardRate(sink, events) {
  const bench = await benchStack(ALLOW);
  try {
    const { api } = bench;
    const id = await connect(api, "sink", { ...otlp(sink.taking, ["logs", "traces"]), state: "paused" });
    const rates = [];
    let sent = 0;
    // The first run compiles; it does not count.
    for (let run = 0; run < 3; run++) {
      await ingestAll(api, { items: Math.ceil(events / EVENTS_PER_ITEM), spanMs: HOUR_MS, seed: 300 + run });
      await api.seal();
      // A burst of ingest is given way to: it is over.
      await sleep(BURST_MS);
      const { rows } = await api.query("kind:log OR kind:invocation | stats count()", "-9h", "now");
      const total = rows[0][0];
      const started = performance.now();
      await api.call("POST", `/api/v1/destinations/${id}/resume`);
      await untilDelivered(api, [{ id, items: total }]);
      if (run > 0) rates.push((total - sent) / seconds(started));
      sent = total;
      await api.call("POST", `/api/v1/destinations/${id}/pause`);
    }
    const { items, distinct, requests, bytes } = await sink.ask("tally");
    await sink.ask("forget");
    if (items !== sent || distinct !== sent) throw new Error(`${items} came, ${distinct} different ones, of ${sent}`);
    return { rate: median(rates), perRequest: items / requests, bytesPerEvent: bytes / items };
  } finally {
    await bench.stop();
  }
}

/** Two stacks that take turns with the same load: no destination; three, one of which hangs. */
async function ingestBeside(sink, { items, turns }) {
  const alone = await benchStack(ALLOW);
  const beside = await benchStack(ALLOW);
  try {
    const feeds = ["errors", "logs", "traces"];
    const well = [];
    for (const name of ["one", "two"]) well.push(await connect(beside.api, name, otlp(sink.taking, feeds)));
    await connect(beside.api, "hanging", otlp(sink.hanging, feeds));
    const ratios = [];
    const rates = { alone: [], beside: [] };
    for (let turn = -1; turn < turns; turn++) {
      const loads = [
        ...bodies({
          seed: 700 + turn,
          count: items,
          perBody: ITEMS_PER_BODY,
          from: Date.now() - HOUR_MS,
          spanMs: HOUR_MS,
        }),
      ];
      const found = {};
      const order = turn % 2 === 0 ? ["alone", "beside"] : ["beside", "alone"];
      for (const which of order) {
        found[which] = await rate((which === "alone" ? alone : beside).api, loads);
        // What is left over must not take the other's turn.
        if (which === "beside") await untilIdle(beside.api, well);
      }
      if (turn < 0) continue;
      ratios.push(found.beside / found.alone);
      rates.alone.push(found.alone);
      rates.beside.push(found.beside);
    }
    await sink.ask("forget");
    return { ratio: median(ratios), alone: median(rates.alone), beside: median(rates.beside) };
  } finally {
    await alone.stop();
    await beside.stop();
  }
}

/** Events per second from the first byte to the last segment in the catalog. */
async function rate(api, loads) {
  const started = performance.now();
  let events = 0;
  await loops(SENDERS, async (n) => {
    const load = loads[n];
    if (load === undefined) return false;
    await api.ingest(load.body);
    events += load.events;
    return true;
  });
  await api.seal();
  return events / seconds(started);
}

/** All of eight hours arrives while the receivers say 503; then they are well. */
async function outageOf(sink, events) {
  const bench = await benchStack(ALLOW);
  try {
    const { api } = bench;
    await sink.ask("down");
    const logs = await connect(api, "collector", otlp(sink.taking, ["logs", "traces"]));
    const errors = await connect(api, "sentry", {
      integration: "sentry",
      values: { dsn: `${sink.taking.replace("//", "//bench@")}/1` },
      rules: { feeds: ["errors"] },
    });
    const items = Math.ceil(events / EVENTS_PER_ITEM);
    const counts = await ingestAll(api, { items, spanMs: OUTAGE_HOURS * HOUR_MS, seed: 900 });
    const before = await Promise.all([healthOf(api, logs), healthOf(api, errors)]);
    if (before.some(({ delivered }) => delivered > 0)) throw new Error("the receivers were not down");
    await sink.ask("up");
    const recovered = Date.now();
    const wanted = [
      { id: logs, items: counts.logs + counts.traces },
      { id: errors, items: counts.errors },
    ];
    const done = await untilDelivered(api, wanted);
    const total = counts.logs + counts.traces + counts.errors;
    const found = await sink.ask("tally");
    await sink.ask("forget");
    return {
      events: total,
      lost: total - found.distinct,
      doubled: found.items - found.distinct,
      minutes: (done - recovered) / 60_000,
      circuits: before.map(({ circuit }) => circuit),
    };
  } finally {
    await bench.stop();
  }
}

export function deliveryRows({ forward, ingest, outage }, higher, lower) {
  const rateText = `${show(forward.rate)} /s`;
  higher("events/s forwarded to one healthy OTLP sink, one core", rateText, "limit", forward.rate, 3_000, 15_000);
  higher(
    "ingest over HTTP, sealed, with three destinations (one hangs) ÷ with none",
    `${show(ingest.beside)} events/s`,
    `${show(ingest.alone)} events/s`,
    ingest.ratio,
    0.8,
    0.95,
  );
  const title = `${OUTAGE_HOURS} simulated hours of outage (${show(outage.events)} events)`;
  lower(`${title}: lost`, String(outage.lost), "limit", outage.lost, 0, 0);
  lower(`${title}: doubled`, String(outage.doubled), "limit", outage.doubled, 0, 0);
  lower(`${title}: minutes to catch up`, `${show(outage.minutes)} min`, "limit", outage.minutes, 15, 3);
}

export function deliveryNote({ forward, outage }) {
  return [
    "## Delivery",
    "",
    `Events that lie sealed in the store are read, made into OTLP (protobuf, gzip) and taken by a receiver in another process: ${show(forward.perRequest)} in a request, ${show(forward.bytesPerEvent)} B each. Ingest beside deliveries: both run in the one workerd thread of this machine, where in an account they run in objects of their own. In the outage ${show(outage.events)} events with times of eight hours came while a collector (logs and traces) and a Sentry (errors) answered 503; they were counted afterwards by the ids that the receivers had been sent: \`log.record.uid\`, span ids, \`event_id\`.`,
  ];
}
