/** Runs the chosen measures one after the other and writes them as two tables beside what was promised. */
import { spawnSync } from "node:child_process";
import { dashboardFirstLoad } from "../../scripts/lib/sizes.mjs";
import { ROOT, toolEnv } from "../../scripts/lib/toolchain.mjs";
import { scoreGrouping } from "../../test/support/grouping-score.ts";
import { bigMap } from "./big-map.mjs";
import { installClickhouse, measureClickhouse } from "./clickhouse.mjs";
import { appendCost, costTable } from "./cost.mjs";
import { deliveryNote, deliveryRows, measureDelivery } from "./delivery.mjs";
import { measureFreshness } from "./freshness.mjs";
import { measureGrouping } from "./grouping.mjs";
import { fill, measureIngest } from "./ingest.mjs";
import { measureLive } from "./live.mjs";
import { liveNotes, liveRows } from "./live-report.mjs";
import { show, table } from "./numbers.mjs";
import { measureObserved, measureOperations } from "./observed.mjs";
import { measureQueries, QUERIES } from "./queries.mjs";
import { measureRolloutEdge, rolloutEdgeNote, rolloutEdgeRows } from "./rollout-edge.mjs";
import { measureRollouts, rolloutNotes, rolloutRows } from "./rollouts.mjs";
import { benchStack } from "./stack.mjs";
import { measureSymbolication } from "./symbolicate.mjs";

/** @param {{ size: object, chosen: string[], machine: string }} given */
export async function bench({ size, chosen, machine }) {
  const built = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: ROOT, env: toolEnv(), stdio: "inherit" });
  if (built.status !== 0) throw new Error("the build failed");
  const found = {};
  const measure = async (part, work) => {
    if (!chosen.includes(part)) return;
    const started = Date.now();
    process.stderr.write(`${part} …`);
    found[part] = await work();
    process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
  };
  await measure("ingest", () => measureIngest(size.ingest));
  await measure("observed", () => measureObserved(size.observed));
  await measure("queries", () => sealedQueries(size));
  await measure("freshness", () => measureFreshness(size));
  // Some seconds of work, for these two only.
  const app = chosen.includes("symbolication") || chosen.includes("grouping") ? await bigMap() : undefined;
  await measure("symbolication", () => measureSymbolication(size.symbolication, app));
  await measure("grouping", () => measureGrouping(size.grouping, app));
  await measure("labels", () => scoreGrouping().all);
  await measure("live", () => measureLive(size.live));
  await measure("rollouts", () => measureRollouts(size.rollouts));
  await measure("edge", () => measureRolloutEdge(size.edge));
  await measure("delivery", () => measureDelivery(size.delivery));
  await measure("dashboard", () => dashboardFirstLoad());
  await measure("cost", () => measureOperations(size.operations));
  return document(found, machine);
}

async function sealedQueries(size) {
  if (size.clickhouse) installClickhouse();
  const first = await benchStack();
  let current = first;
  try {
    const filled = await fill(first, size);
    const measured = await measureQueries(first, filled, (bench) => {
      current = bench;
    });
    const clickhouse = size.clickhouse ? await measureClickhouse(current.stack, QUERIES) : undefined;
    return { filled, results: measured, clickhouse };
  } finally {
    await current.stop();
  }
}

/** The whole of it for docs/, and the two tables alone for the README. */
function document(found, machine) {
  const promises = table(["measure", "measured", "compared with", "ratio", "floor", "aim", ""], promised(found));
  const cost = found.cost ? costNotes(found) : undefined;
  const ran = `\`npm run bench\` on ${machine}.`;
  const full = [
    "# Measured figures",
    "",
    `${ran} Everything ran in one workerd on this machine: the observed Workers, Tailrace, and the local stand-ins of R2 and D1, with the load generator on the other core.`,
    "",
    promises,
  ];
  if (found.observed) full.push("", observedNote(found.observed));
  if (found.queries) full.push("", ...queryNotes(found.queries));
  if (found.symbolication && found.grouping) full.push("", errorsNote(found));
  if (found.live) full.push("", ...liveNotes(found.live));
  if (found.rollouts) full.push("", ...rolloutNotes(found.rollouts));
  if (found.edge) full.push("", rolloutEdgeNote(found.edge));
  if (found.delivery) full.push("", ...deliveryNote(found.delivery));
  if (cost) full.push("", "## Operations per million invocations", "", cost.text, "", cost.markdown);
  const summary = [`${ran} [docs/bench.md](docs/bench.md) has the details.`, "", promises];
  if (cost) summary.push("", cost.text, "", cost.markdown);
  return { full: `${full.join("\n")}\n`, summary: summary.join("\n") };
}

/** One row per promise: measured, peer, ratio, floor, aim, verdict. */
function promised(found) {
  const { ingest, observed, queries, freshness, symbolication, grouping, labels, live, rollouts, edge } = found;
  const { delivery, dashboard } = found;
  const rows = [];
  const higher = (name, measured, peer, ratio, floor, aim) =>
    rows.push([name, measured, peer, show(ratio), floor, aim, verdict(ratio, floor, aim)].map(String));
  const lower = (name, measured, peer, value, floor, aim) =>
    rows.push([name, measured, peer, show(value), floor, aim, verdict(-value, -floor, -aim)].map(String));
  if (ingest) {
    const sealed = `${show(ingest.sealed)} events/s`;
    higher(
      "ingest over HTTP, sealed ÷ JSON.parse of the same bytes (Node)",
      sealed,
      `${show(ingest.parse)} events/s`,
      ingest.toParse,
      0.08,
      0.2,
    );
    higher(
      "ingest over HTTP, sealed ÷ one D1 row per event with two indexes",
      sealed,
      `${show(ingest.d1)} events/s`,
      ingest.toD1,
      5,
      15,
    );
  }
  if (observed) {
    higher(
      "requests/s of the shop observed ÷ with an empty tail handler",
      `${show(observed.observed)} /s`,
      `${show(observed.empty)} /s`,
      observed.observed / observed.empty,
      0.6,
      0.85,
    );
  }
  if (queries) {
    const { filled, results } = queries;
    const bytes = filled.compactedBytes / filled.events;
    lower(
      "bytes per event in R2 ÷ gzip NDJSON of the same events",
      `${show(bytes)} B`,
      `${show(filled.gzipBytesPerEvent)} B`,
      bytes / filled.gzipBytesPerEvent,
      0.8,
      0.6,
    );
    for (const { name, cold, warm } of results) {
      const title = `${name} over ${show(filled.events)} sealed events`;
      lower(`${title}, cold`, `${show(cold)} s`, "limit", cold, 2, 0.8);
      lower(`${title}, warm`, `${show(warm)} s`, "limit", warm, 0.8, 0.3);
    }
  }
  if (freshness) {
    lower(
      "request's end → its event in a query answer, p50",
      `${show(freshness.p50)} s`,
      "limit",
      freshness.p50,
      1.5,
      0.3,
    );
    lower("request's end → its event in a query answer, p99", `${show(freshness.p99)} s`, "limit", freshness.p99, 4, 1);
  }
  if (symbolication) {
    const size = `${show(symbolication.mapBytes / 1e6)} MB map`;
    higher(
      `first frame of a ${size} inside workerd: how much faster than \`source-map\` in Node`,
      `${show(symbolication.ours)} ms`,
      `${show(symbolication.theirs)} ms`,
      symbolication.ratio,
      5,
      50,
    );
    const warm = symbolication.warm;
    higher("frames/s warm, inside workerd", `${show(warm)} /s`, "limit", warm, 20_000, 100_000);
  }
  if (grouping) {
    const rate = `${show(grouping.rate)} /s`;
    higher("exceptions/s grouped on the ingest path, sealed", rate, "limit", grouping.rate, 5_000, 20_000);
    const without = `${show(grouping.without)} /s`;
    lower("ingest of nothing but exceptions: without grouping ÷ with it", rate, without, grouping.cost, 1.5, 1.2);
  }
  if (labels) {
    const { cases, groups, precision, recall } = labels;
    const set = `${show(cases)} labelled errors of ${groups} faults`;
    higher(`${set}: pairs grouped that belong together (precision)`, show(precision), "limit", precision, 0.98, 0.995);
    higher(`${set}: pairs that belong together grouped (recall)`, show(recall), "limit", recall, 0.95, 0.99);
  }
  if (live) liveRows(live, higher, lower);
  if (rollouts) rolloutRows(rollouts, lower);
  if (edge) rolloutEdgeRows(edge, lower);
  if (delivery) deliveryRows(delivery, higher, lower);
  if (dashboard) {
    lower(
      "dashboard, first load, gzip JavaScript",
      `${show(dashboard.gzipKib)} KB`,
      "limit",
      dashboard.gzipKib,
      80,
      50,
    );
  }
  return rows;
}

function verdict(value, floor, aim) {
  if (value >= aim) return "aim reached";
  return value >= floor ? "above the floor" : "**below the floor**";
}

function observedNote({ cpuObserved, cpuEmpty }) {
  return `The shop took ${show(cpuEmpty)} ms of CPU per request with the empty tail handler and ${show(cpuObserved)} ms with Tailrace on the same core, R2 and D1 included: were that core the only limit, the ratio would be ${show(cpuEmpty / cpuObserved)}.`;
}

function errorsNote({ symbolication, grouping }) {
  const { mapBytes, seekableBytes } = symbolication;
  return `The map of ${show(mapBytes / 1e6)} MB takes ${show(seekableBytes / 1e6)} MB in its seekable form. First frame: a process that has just started, the reads from R2 included, less what an empty request takes; \`source-map\`: file, JSON.parse, consumer and first answer, in a fresh process too. Grouping: every item is an invocation with one exception of 4 to 12 frames in that map, ${grouping.issues} issues in all.`;
}

function queryNotes({ filled, results, clickhouse }) {
  const lines = [
    `Sealing ${show(filled.events)} events took ${show(filled.secondsToFill)} s, sent over HTTP by four connections. Segments: ${show(filled.sealedBytes / filled.events)} B per event as sealed, ${show(filled.compactedBytes / filled.events)} B compacted; the trace items that they came from, gzip: ${show(filled.gzipItemsPerEvent)} B per event. "Cold" is the first query of a process that has just started, "warm" the median of five more.`,
    "",
  ];
  for (const { q, stats, rows } of results) {
    lines.push(
      `- \`${q}\`: ${show(stats.events)} events looked at, ${stats.segments} segments read, ${stats.pruned} ruled out, ${show(stats.bytes / 2 ** 20)} MiB from R2, ${rows} rows.`,
    );
  }
  if (clickhouse) lines.push("", ...clickhouseNotes({ filled, results, clickhouse }));
  return lines;
}

function clickhouseNotes({ filled, results, clickhouse }) {
  const rows = results.map(({ name, cold, warm }, n) => {
    const peer = clickhouse.queries[n];
    return [name, `${show(cold)} / ${show(warm)} s`, `${show(peer.cold)} / ${show(peer.warm)} s`];
  });
  return [
    `The ClickHouse engine ${clickhouse.version} (chdb, MergeTree, one thread) on the same events; it inserted ${show(clickhouse.insertRate)} flat JSON events/s:`,
    "",
    table(
      ["", "Tailrace", "ClickHouse engine"],
      [
        ...rows.map(([name, ...cells]) => [`${name}, cold / warm`, ...cells]),
        ["bytes per event", show(filled.compactedBytes / filled.events), show(clickhouse.bytesPerEvent)],
      ],
    ),
  ];
}

function costNotes({ cost, observed, queries }) {
  const facts = {
    cpuMsPerInvocation: observed ? observed.cpuObserved - observed.cpuEmpty : Number.NaN,
    bytesPerEvent: queries ? queries.filled.compactedBytes / queries.filled.events : Number.NaN,
    eventsPerInvocation: cost.events / cost.tailItems,
    shards: cost.scripts,
  };
  return {
    text: `Counted while the shop served ${show(cost.tailItems)} invocations in ${show(cost.seconds)} s (${show(facts.eventsPerInvocation)} events each), with everything sealed at the end. CPU is the difference between the two shops above, so it includes what R2 and D1 would do elsewhere. A quiet Worker pays more for each: when no two invocations share an append, requests and rows alone make ${appendCost(cost).toFixed(2)} $ per million.`,
    markdown: costTable(cost, facts).markdown,
  };
}
