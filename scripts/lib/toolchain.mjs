/**
 * Makes a fresh clone runnable: dependencies as package-lock.json says, and a
 * Node that is new enough (wrangler needs 22.12; a machine may have 20, so the
 * npm package `node` brings one). Runs on plain Node 20 and imports nothing
 * that has to be installed first.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Complaint } from "./complaint.mjs";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const OLDEST_NODE = [22, 12];
/** Set for the re-executed process: its life is tied to ours. */
export const PARENT_VARIABLE = "TAILRACE_PARENT_PID";

/** @returns true when something was installed */
export function ensureInstalled() {
  const missing = missingPackages();
  if (missing.length === 0) return false;
  console.log(`Installing dependencies (${missing.length} missing or outdated) …`);
  // A partly filled node_modules is completed; `ci` would empty it under a process that runs from it.
  const how = existsSync(join(ROOT, "node_modules/.package-lock.json")) ? ["install", "--no-save"] : ["ci"];
  const npm = spawnSync("npm", [...how, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (npm.error) throw new Complaint(`npm could not be run: ${npm.error.message}`);
  if (npm.status !== 0)
    throw new Complaint("installing dependencies failed (see above); is the npm registry reachable?");
  return true;
}

/** Packages that the lock file asks for and node_modules does not hold in that version. */
export function missingPackages(root = ROOT) {
  const wanted = readLock(join(root, "package-lock.json"));
  if (wanted === undefined) throw new Complaint("package-lock.json is missing or unreadable");
  const present = readLock(join(root, "node_modules/.package-lock.json")) ?? {};
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== "" && !isPresent(root, path, entry, present[path]))
    .map(([path]) => path);
}

/** npm leaves out optional packages of other platforms; their absence is not a lack. */
function isPresent(root, path, wanted, present) {
  if (present === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
  return present.version === wanted.version && existsSync(join(root, path, "package.json"));
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** The Node to run with: this one if it is new enough, else the one that npm installed. */
export function suitableNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return process.execPath;
  const installed = join(ROOT, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(installed)) return installed;
  throw new Complaint(
    `Node ${OLDEST_NODE.join(".")} is needed, this is ${process.versions.node}, and node_modules/node is not there; run npm ci`,
  );
}

/** PATH with the tools of node_modules first. */
export function toolEnv(extra = {}) {
  const separator = process.platform === "win32" ? ";" : ":";
  const path = [join(ROOT, "node_modules/.bin"), process.env.PATH].join(separator);
  return { ...process.env, WRANGLER_SEND_METRICS: "false", ...extra, PATH: path };
}

/**
 * Installs what is missing, then makes sure that the calling script runs on a
 * suitable Node: either returns (it does), or runs the script again and never
 * returns. Signals are passed on, and the child ends when this process is
 * gone: see shutdown.mjs.
 */
export async function prepare(script, argv) {
  ensureInstalled();
  const node = suitableNode();
  if (node === process.execPath) return;
  const child = spawn(node, [script, ...argv], {
    stdio: "inherit",
    env: toolEnv({ [PARENT_VARIABLE]: String(process.pid) }),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (...how) => done(how));
  });
  process.exit(code ?? (signal === "SIGINT" ? 130 : 143));
}

/**
 * The same for scripts that only run to their end (test, check, build): Node's
 * event loop stands still meanwhile, and Ctrl-C reaches both by the terminal.
 */
export function ensureToolchain() {
  ensureInstalled();
  const node = suitableNode();
  if (node === process.execPath) return;
  const { status, signal } = spawnSync(node, process.argv.slice(1), { stdio: "inherit", env: toolEnv() });
  process.exit(status ?? (signal === "SIGINT" ? 130 : 143));
}
