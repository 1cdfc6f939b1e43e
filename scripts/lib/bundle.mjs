/**
 * Bundles Workers with esbuild, as `wrangler deploy` does, in a tenth of the
 * time. Hands JavaScript in dist/ to stack.mjs; nothing here knows Miniflare.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Complaint } from "./complaint.mjs";
import { ROOT } from "./toolchain.mjs";

const DIST = join(ROOT, "dist");

/** What workerd provides, and how wrangler resolves packages for it. */
const WORKERD = {
  bundle: true,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  mainFields: ["module", "main"],
  external: ["cloudflare:*", "node:*"],
  loader: { ".sql": "text", ".txt": "text", ".html": "text" },
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "silent",
  absWorkingDir: ROOT,
};

export const platformBundle = () => join(DIST, "platform/index.js");

/** @param {string} entry absolute path of the Worker's main module */
export async function bundlePlatform(entry, outfile = platformBundle()) {
  // As wrangler.toml has it: what is tested is what is deployed.
  await bundle({ entryPoints: [entry], outfile, minify: true, sourcemap: "linked", sourcesContent: false });
  return outfile;
}

/** esbuild's watcher, for `npm run dev`. Calls back after every successful build, the first one too. */
export async function watchPlatform(entry, onBuilt, onFailed) {
  const { context } = await import("esbuild");
  const report = {
    name: "report",
    setup(build) {
      build.onEnd((result) => {
        if (result.errors.length > 0) onFailed(describe(result.errors));
        else onBuilt();
      });
    },
  };
  const outfile = platformBundle();
  const watcher = await context({
    ...WORKERD,
    entryPoints: [entry],
    outfile,
    sourcemap: "linked",
    sourcesContent: false,
    plugins: [report],
  });
  await watcher.watch();
  return () => watcher.dispose();
}

/**
 * One version of a demo Worker, minified with its source map beside it and no
 * mention of it in the code: a production build whose map went to the tracker.
 * @returns {Promise<{ file: string, id: string }>} id: the same code has the same version id
 */
export async function bundleDemo(entry, name, tag) {
  const file = join(DIST, "demo", name, tag, "index.js");
  await bundle({ entryPoints: [entry], outfile: file, minify: true, sourcemap: "external", sourcesContent: true });
  return { file, id: versionId(name, tag, readFileSync(file)) };
}

async function bundle(options) {
  const { build } = await import("esbuild");
  try {
    await build({ ...WORKERD, ...options });
  } catch (error) {
    if (error.errors === undefined) throw error;
    throw new Complaint(`build failed: ${describe(error.errors)}`);
  }
}

/** Ends esbuild's helper process, which would stay as long as this one. The next build starts another. */
export async function endBuilds() {
  const { stop } = await import("esbuild");
  await stop();
}

function describe(errors) {
  const { text, location } = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${location ? `${location.file}:${location.line}: ` : ""}${text.split("\n")[0]}${more}`;
}

/** Version ids are UUIDs at Cloudflare; here one made from the code (RFC 9562, version 8). */
function versionId(name, tag, code) {
  const hex = createHash("sha256").update(`${name}\n${tag}\n`).update(code).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16], 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
