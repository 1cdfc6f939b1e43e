/**
 * What wrangler.toml files say, as Miniflare's worker options. wrangler itself
 * reads them, so that there is one source of bindings; it takes a second and
 * 200 MB to load, so its answer is kept in dist/ for as long as nothing that
 * goes into it has changed.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Complaint } from "../lib/complaint.mjs";
import { ROOT } from "../lib/toolchain.mjs";

const CACHE = join(ROOT, "dist/.worker-configs.json");
/** wrangler takes local values of variables from these, beside the config file. */
const LOCAL_VARIABLES = [".dev.vars", ".env", ".env.local"];

/**
 * @param {string[]} paths of wrangler.toml files
 * @returns {Promise<Map<string, { main: string, options: object }>>} by path
 */
export async function readWorkerConfigs(paths) {
  const inputs = hashInputs(paths);
  const kept = readCache();
  if (kept?.inputs === inputs) return new Map(kept.configs);
  process.env.WRANGLER_SEND_METRICS = "false";
  const { unstable_getMiniflareWorkerOptions: read } = await import("wrangler");
  const configs = paths.map((path) => {
    try {
      const { main, workerOptions } = read(path);
      return [path, { main, options: workerOptions }];
    } catch (error) {
      throw new Complaint(`${path}: ${error.message.split("\n")[0]}`);
    }
  });
  mkdirSync(dirname(CACHE), { recursive: true });
  writeFileSync(CACHE, JSON.stringify({ inputs, configs }));
  return new Map(JSON.parse(JSON.stringify(configs)));
}

function readCache() {
  try {
    return JSON.parse(readFileSync(CACHE, "utf8"));
  } catch {
    return undefined;
  }
}

function hashInputs(paths) {
  const hash = createHash("sha256");
  const { version } = createRequire(import.meta.url)("wrangler/package.json");
  hash.update(JSON.stringify([version, ROOT, process.env.CLOUDFLARE_ENV ?? ""]));
  for (const path of paths) {
    for (const file of [path, ...LOCAL_VARIABLES.map((name) => join(dirname(path), name))]) {
      hash
        .update(`${file}\0`)
        .update(existsSync(file) ? readFileSync(file) : "")
        .update("\0");
    }
  }
  return hash.digest("hex");
}
