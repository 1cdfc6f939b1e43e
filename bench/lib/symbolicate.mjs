/**
 * A 20 MB source map: the first frame inside workerd, from R2, against the
 * package `source-map` in Node loading the same map from a file, each in a
 * process that has just started; and how many frames a second once everything
 * is in memory.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toolEnv } from "../../scripts/lib/toolchain.mjs";
import { placesIn } from "./big-app.mjs";
import { send } from "./http.mjs";
import { median, seconds } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const PEER = fileURLToPath(new URL("./source-map-child.mjs", import.meta.url));
const ENTRY = fileURLToPath(new URL("../workers/symbolicate.ts", import.meta.url));
/** An object beside the map, so that a bucket's first read is not what is measured. */
const OTHER_KEY = "bench/other";
const WARM_UP_REQUESTS = 20;
/** What a Worker throws within minutes comes from few places; these are spread over the whole map. */
const WARM_STACKS = 15;
const FRAMES_PER_STACK = 10;
const WARM_ROUNDS = 600;
const WARM_RUNS = 5;

/**
 * @param {{ runs: number }} size
 * @param {Awaited<ReturnType<typeof import("./big-map.mjs").bigMap>>} app
 */
export async function measureSymbolication({ runs }, { code, map, seekable, hash }) {
  const places = placesIn(code, WARM_STACKS * FRAMES_PER_STACK);
  const folder = mkdtempSync(join(tmpdir(), "tailrace-map-"));
  const file = join(folder, "index.js.map");
  writeFileSync(file, map);
  let bench = await benchStack({ entry: ENTRY });
  try {
    const bucket = await bench.stack.mf.getR2Bucket("BUCKET", "tailrace");
    await bucket.put(`maps/${hash}`, seekable);
    await bucket.put(OTHER_KEY, "x".repeat(16_384));
    const blob = `blob=${hash}&bytes=${seekable.length}`;
    const turns = [];
    for (let run = 0; run < runs; run++) {
      const place = places[Math.floor((places.length * (run + 0.5)) / runs)];
      bench = await bench.restart();
      const ours = await firstFrame(bench, blob, place);
      const theirs = loadWithSourceMap(file, place);
      if (ours.line !== theirs.line) throw new Error(`line ${ours.line}, source-map says ${theirs.line}`);
      turns.push({ ours: ours.ms, theirs: theirs.ms, ratio: theirs.ms / ours.ms });
    }
    const of = (key) => median(turns.map((turn) => turn[key]));
    return {
      mapBytes: map.length,
      seekableBytes: seekable.length,
      ours: of("ours"),
      theirs: of("theirs"),
      ratio: of("ratio"),
      warm: await warmRate(bench, blob, places),
    };
  } finally {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A request to a process that has answered others and read another object, but never seen a map; less what an empty request takes. */
async function firstFrame(bench, blob, { line, column }) {
  const timed = async (path) => {
    const started = performance.now();
    const { text } = await send(bench.api.agent, bench.api.url + path);
    return { ms: performance.now() - started, text };
  };
  const empty = [];
  for (let n = 0; n < WARM_UP_REQUESTS; n++) {
    await timed(`/other?key=${OTHER_KEY}`);
    empty.push((await timed("/nothing")).ms);
  }
  const { ms, text } = await timed(`/first?${blob}&line=${line}&column=${column}`);
  return { ms: ms - median(empty), line: JSON.parse(text)?.line };
}

function loadWithSourceMap(file, { line, column }) {
  const child = spawnSync(process.execPath, [PEER, file, String(line), String(column)], {
    env: toolEnv(),
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(`source-map failed: ${child.stderr.slice(-1000)}`);
  return JSON.parse(child.stdout);
}

/** Frames of stacks that a bundle of that size would throw, all over it. */
async function warmRate(bench, blob, places) {
  const stacks = Array.from({ length: WARM_STACKS }, (_, n) => {
    const own = places.filter((_, at) => at % WARM_STACKS === n);
    const lines = own.map(({ line, column }, at) => `    at f${at} (index.js:${line}:${column})`);
    return `Error: order ${n} failed\n${lines.join("\n")}`;
  });
  const loaded = await bench.api.call("POST", `/load?${blob}`, JSON.stringify(stacks));
  if (loaded.states.join() !== "mapped") throw new Error(`not all frames have a place: ${loaded.states}`);
  const rates = [];
  for (let run = 0; run < WARM_RUNS; run++) {
    const started = performance.now();
    const { frames, mapped } = await bench.api.call("GET", `/warm?rounds=${WARM_ROUNDS}`);
    if (frames === 0 || mapped !== frames) throw new Error(`only ${mapped} of ${frames} frames were mapped`);
    rates.push(frames / seconds(started));
  }
  return median(rates);
}
