/**
 * The dashboard's build through vite, left out when nothing that goes into it
 * has changed since the last one (a second or two of every start).
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Complaint } from "./complaint.mjs";
import { ROOT } from "./toolchain.mjs";

export const DASHBOARD_DIST = join(ROOT, "dist/dashboard");
const SOURCE = join(ROOT, "dashboard");
const CONFIG = join(SOURCE, "vite.config.ts");
/** Beside the output, not in it: what is in there is served. */
const STAMP = join(ROOT, "dist/.dashboard-inputs");

/** @returns {Promise<boolean>} whether it had to build */
export async function buildDashboard({ force = false, mode = "production" } = {}) {
  const inputs = hashInputs();
  if (!force && isBuilt() && readStamp() === inputs) return false;
  const { build } = await import("vite");
  try {
    await build({ configFile: CONFIG, mode, logLevel: "silent" });
  } catch (error) {
    throw new Complaint(`building the dashboard failed: ${firstLine(error)}`);
  }
  writeFileSync(STAMP, inputs);
  return true;
}

export const isBuilt = () => existsSync(join(DASHBOARD_DIST, "index.html"));

/** vite's watcher, for `npm run dev`: rebuilds into dist/dashboard, which Miniflare serves from disk. */
export async function watchDashboard(onBuilt, onFailed) {
  // What it leaves in dist/ is a development build, which the next start must not take for its own.
  rmSync(STAMP, { force: true });
  const { build } = await import("vite");
  const watcher = await build({ configFile: CONFIG, mode: "development", logLevel: "silent", build: { watch: {} } });
  watcher.on("event", (event) => {
    if (event.code === "BUNDLE_END") {
      event.result?.close?.();
      onBuilt(event.duration);
    }
    if (event.code === "ERROR") onFailed(firstLine(event.error));
  });
  return () => watcher.close();
}

/** vite's messages are pages with colours; the first cause is what a user needs. */
function firstLine(error) {
  return stripVTControlCharacters((error.errors?.[0] ?? error).message).split("\n")[0];
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, "utf8") : "";
}

/** What the dashboard imports from the platform: shapes, the query language for its completion, a command to paste. */
const SHARED = [
  "workers/event",
  "workers/query/language",
  "workers/api/contract.ts",
  "workers/api/contract",
  "workers/errors/maps/upload-command.ts",
];

/** Everything under dashboard/, what it shares with the platform, and the versions of the tools. */
function hashInputs() {
  const hash = createHash("sha256");
  const files = [SOURCE, ...[...SHARED, "package-lock.json"].map((path) => join(ROOT, path))].flatMap(filesAt);
  for (const file of files.sort()) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesAt(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
