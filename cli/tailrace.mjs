#!/usr/bin/env node
/**
 * `npx tailrace`. The command is TypeScript, bundled by `npm run build` and
 * `npm start` into dist/cli, so that it runs on Node 20 as well. In a checkout
 * whose sources are newer than the bundle, or that was never built, it is
 * bundled here first.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUNDLE = join(ROOT, "dist/cli/main.js");
/** What the bundle is made of; in a package without sources there is nothing to compare. */
const SOURCES = ["cli", "workers/api/contract.ts", "workers/api/contract", "workers/errors/source-map", "package.json"];

if (isOutdated()) await bundle();
const { main } = await import(pathToFileURL(BUNDLE).href);
const streams = { out: process.stdout, err: process.stderr };
process.exitCode = await main(process.argv.slice(2), { env: process.env, cwd: process.cwd(), streams });

function isOutdated() {
  if (!existsSync(BUNDLE)) return true;
  const built = statSync(BUNDLE).mtimeMs;
  return SOURCES.some((source) => newest(join(ROOT, source)) > built);
}

function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

async function bundle() {
  try {
    const { bundleCli } = await import("./bundle.mjs");
    await bundleCli();
    const { stop } = await import("esbuild");
    await stop();
  } catch (error) {
    console.error(`error: the tailrace command cannot be built: ${error.message}. Run npm ci in ${ROOT} first.`);
    process.exit(1);
  }
}
