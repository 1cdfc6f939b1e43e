/**
 * Exceptions through ingest with everything that issues take (stacks parsed,
 * led to their source by a 20 MB map, fingerprints, counts in D1), against the
 * same platform built without: turns on the same bytes, each until sealed.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { ROOT } from "../../scripts/lib/toolchain.mjs";
import { bugsOf, failingBodies, SCRIPTS, VERSION } from "./exceptions.mjs";
import { loops } from "./http.mjs";
import { median, seconds } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const PER_BODY = 500;
const SENDERS = 4;
const WARM_UPS = 2;
const UNGROUPED = join(ROOT, "dist/bench/ungrouped.js");
/** Counts reach D1 some seconds after the events. */
const COUNTED_WITHIN_MS = 30_000;
const POLL_MS = 100;

/**
 * @param {{ items: number, rounds: number }} size
 * @param {Awaited<ReturnType<typeof import("./big-map.mjs").bigMap>>} app
 */
export async function measureGrouping({ items, rounds }, app) {
  await buildUngrouped();
  const bugs = bugsOf(app.code);
  const grouped = await benchStack();
  let ungrouped;
  try {
    ungrouped = await benchStack({ entry: UNGROUPED });
    await registerMap(grouped, app);
    const turns = [];
    let sent = 0;
    for (let round = -WARM_UPS; round < rounds; round++) {
      const bodies = failingBodies(bugs, {
        seed: 31 + round,
        count: items,
        perBody: PER_BODY,
        from: Date.now() - items,
      });
      const withIssues = await rate(grouped, bodies);
      const without = await rate(ungrouped, bodies);
      sent += items;
      if (round >= 0) turns.push({ withIssues, without, cost: without / withIssues });
    }
    const of = (key) => median(turns.map((turn) => turn[key]));
    return { rate: of("withIssues"), without: of("without"), cost: of("cost"), ...(await counted(grouped, sent)) };
  } finally {
    await ungrouped?.stop();
    await grouped.stop();
  }
}

/** The platform in which no event is an error: nothing to parse, to symbolicate, to group or to count. */
async function buildUngrouped() {
  await build({
    entryPoints: [join(ROOT, "workers/index.ts")],
    outfile: UNGROUPED,
    bundle: true,
    format: "esm",
    packages: "external",
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
    plugins: [
      {
        name: "ungrouped",
        setup({ onLoad }) {
          onLoad({ filter: /workers\/ingest\/grouping\/occurrences\.ts$/ }, () => ({
            contents: "export const occurrencesOf = () => [];",
            loader: "ts",
          }));
        },
      },
    ],
  });
}

/** As an upload would leave it. */
async function registerMap({ stack }, { seekable, hash, map }) {
  const bucket = await stack.mf.getR2Bucket("BUCKET", "tailrace");
  await bucket.put(`maps/${hash}`, seekable);
  const db = await stack.mf.getD1Database("DB", "tailrace");
  for (const script of SCRIPTS) {
    const row = {
      script,
      version_id: VERSION,
      file: "index.js",
      hash,
      bytes: map.length,
      seekable_hash: hash,
      seekable_bytes: seekable.length,
      sources: 1,
      mappings: 1,
      uploaded_at: Date.now(),
      uploaded_by: "bench",
    };
    const names = Object.keys(row);
    const insert = `INSERT INTO source_maps (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    await db
      .prepare(insert)
      .bind(...Object.values(row))
      .run();
  }
}

async function rate({ api }, bodies) {
  const started = performance.now();
  let items = 0;
  await loops(SENDERS, async (n) => {
    const load = bodies[n];
    if (load === undefined) return false;
    const answer = await api.ingest(load.body);
    if (answer.accepted !== load.items) throw new Error(`only ${answer.accepted} of ${load.items} items were kept`);
    items += load.items;
    return true;
  });
  await api.seal();
  return items / seconds(started);
}

/** All of them must have arrived in issues, or the rate says nothing. */
async function counted({ stack }, sent) {
  const db = await stack.mf.getD1Database("DB", "tailrace");
  const started = performance.now();
  for (;;) {
    const { issues, count } = await db.prepare("SELECT COUNT(*) AS issues, SUM(count) AS count FROM issues").first();
    if (count === sent) return { issues };
    if (performance.now() - started > COUNTED_WITHIN_MS)
      throw new Error(`${count} of ${sent} exceptions are in issues`);
    await sleep(POLL_MS);
  }
}
