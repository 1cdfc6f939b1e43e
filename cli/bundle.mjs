/**
 * Bundles the command for Node 20 and newer into dist/cli. `npm run build` and
 * `npm start` call it, and `tailrace.mjs` where neither has run.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const CLI_BUNDLE = join(ROOT, "dist/cli/main.js");

/** @returns {Promise<string>} the bundle's path */
export async function bundleCli() {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "cli/main.ts")],
    outfile: CLI_BUNDLE,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // It reads its WebAssembly from its own directory.
    external: ["source-map"],
    // `ws` is CommonJS: what it requires of Node it finds through this.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    // Native speed-ups that `ws` would look for in vain at each start.
    define: { "process.env.WS_NO_BUFFER_UTIL": '"1"', "process.env.WS_NO_UTF_8_VALIDATE": '"1"' },
    logLevel: "silent",
    write: false,
  });
  mkdirSync(dirname(CLI_BUNDLE), { recursive: true });
  // Whole or not at all: another process may be starting from it.
  const next = `${CLI_BUNDLE}.${process.pid}`;
  writeFileSync(next, outputFiles[0].contents);
  renameSync(next, CLI_BUNDLE);
  return CLI_BUNDLE;
}
