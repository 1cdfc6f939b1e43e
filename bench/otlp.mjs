/**
 * `node bench/otlp.mjs`: µs an event for each step of an OTLP request inside
 * workerd, and what a library would add to the bundle (docs/decisions/0029).
 */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { ROOT } from "../scripts/lib/toolchain.mjs";
import { table } from "./lib/numbers.mjs";

const ENTRY = join(ROOT, "bench/workers/encode-otlp.ts");
const ROUND_MS = 400;
const ROUNDS = 5;

const bundle = async (options) => {
  const common = {
    bundle: true,
    write: false,
    format: "esm",
    external: ["node:*"],
    platform: "neutral",
    mainFields: ["module", "main"],
  };
  return (await build({ ...common, ...options })).outputFiles[0].text;
};
const sizeOf = async (contents) => {
  const text = await bundle({ stdin: { contents, resolveDir: ROOT, loader: "ts" }, minify: true });
  return gzipSync(text).length;
};

const script = await bundle({ entryPoints: [ENTRY] });
const mf = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script,
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
  }),
);
try {
  const url = await mf.ready;
  const ask = async (path, rounds) => {
    const start = performance.now();
    const answer = await (await fetch(new URL(`${path}?rounds=${rounds}`, url))).json();
    return { ms: performance.now() - start, ...answer };
  };
  const rows = [];
  for (const path of await (await fetch(new URL("/list", url))).json()) {
    if (path === "/nothing") continue;
    await ask(path, 20);
    const { ms } = await ask(path, 20);
    const rounds = Math.max(5, Math.round((ROUND_MS / ms) * 20));
    const turns = [];
    for (let i = 0; i < ROUNDS; i++) turns.push(await ask(path, rounds));
    const best = turns.reduce((a, b) => (b.ms < a.ms ? b : a));
    const us = (best.ms * 1_000) / rounds / best.events;
    rows.push([
      path.slice(1),
      us.toFixed(2),
      Math.round(1e6 / us).toLocaleString("en"),
      (best.bytes / best.events).toFixed(0),
    ]);
  }
  console.log(table(["inside workerd", "µs/event", "events/s", "bytes/event"], rows));
} finally {
  await mf.dispose();
}
console.log(
  table(
    ["in a bundle", "bytes, gzip"],
    [
      ["own encoder", String(await sizeOf(`export * from "./workers/integrations/otlp/protobuf/encode.ts"`))],
      [
        "protobufjs with OTLP's generated code",
        String(await sizeOf(`export { default } from "@opentelemetry/otlp-transformer/build/src/generated/root"`)),
      ],
    ],
  ),
);
