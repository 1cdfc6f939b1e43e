/**
 * The data directory: one running instance at a time, what that instance
 * started (so that the next one can end what a SIGKILL left behind), and the
 * admin token.
 *
 *   <data>/run.json      the launcher and its workerd processes
 *   <data>/admin-token   mode 600
 *   <data>/edge-token    mode 600
 *   <data>/secret-key    mode 600
 *   <data>/state/        Miniflare: D1, R2, Durable Objects
 *   <data>/workers.log   what the Workers logged in this run
 */
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Complaint } from "../lib/complaint.mjs";
import { ROOT } from "../lib/toolchain.mjs";
import { isAlive, killMarked, markProcess } from "./processes.mjs";

/** A launcher that lost its parent or its terminal is gone by then. */
const HOLDER_GRACE_MS = 3000;
/** A killed workerd frees its port and files well within this. */
const KILL_WAIT_MS = 5000;
const POLL_MS = 25;
/** AES-256. */
const SECRET_KEY_BYTES = 32;
/** What file systems without hard links answer (shared folders of virtual machines, exFAT). */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * @param {string} path relative to the repository, or absolute
 * @param {number} port told to whoever finds the directory in use
 */
export async function openDataDir(path, port) {
  const dir = resolve(ROOT, path);
  make(dir);
  const lock = join(dir, "run.json");
  await takeLock(lock, dir, port);
  let started = [];
  const record = () => replaceFile(lock, describe(port, started));
  return {
    dir,
    state: join(dir, "state"),
    log: join(dir, "workers.log"),
    /** Remembers a workerd process on disk. */
    remember(pid) {
      const mark = markProcess(pid);
      if (mark === undefined) return;
      started = [...started.filter(isAlive), mark];
      record();
    },
    /** Forgets all telemetry; the token stays. */
    drop() {
      rmSync(join(dir, "state"), { recursive: true, force: true });
    },
    adminToken: (given) => given ?? kept(join(dir, "admin-token"), () => token("trl_")),
    /** Of the local edge's API. */
    edgeToken: () => kept(join(dir, "edge-token"), () => token("edge_")),
    /** Under which the platform encrypts credentials of others. */
    secretKey: () => kept(join(dir, "secret-key"), () => randomBytes(SECRET_KEY_BYTES).toString("base64")),
    release() {
      rmSync(lock, { force: true });
    },
  };
}

function make(dir) {
  try {
    makeDirectory(dir);
    const probe = join(dir, `.probe-${process.pid}`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    throw new Complaint(
      `cannot write to the data directory ${shown(dir)} (${error.code}); set TAILRACE_DATA to another`,
    );
  }
}

/** Not mkdir's `recursive`: Node retries for ever where a parent exists and refuses with ENOENT, as /proc does. */
function makeDirectory(dir) {
  if (existsSync(dir)) return;
  makeDirectory(dirname(dir));
  mkdirSync(dir);
}

const describe = (port, runtimes) => JSON.stringify({ launcher: markProcess(process.pid), port, runtimes });

async function takeLock(lock, dir, port) {
  const deadline = Date.now() + HOLDER_GRACE_MS;
  for (;;) {
    if (createLock(lock, port)) return;
    const holder = readLock(lock);
    if (holder?.launcher && isAlive(holder.launcher)) {
      if (Date.now() > deadline) {
        throw new Complaint(
          `already running on port ${holder.port} with the data directory ${shown(dir)} (process ${holder.launcher.pid}); end it, or set PORT and TAILRACE_DATA`,
        );
      }
      await sleep(POLL_MS);
      continue;
    }
    await endLeftovers(holder?.runtimes ?? []);
    rmSync(lock, { force: true });
  }
}

/** A hard link is made whole or not at all, and by one only: it decides between two that start at the same moment. */
function createLock(lock, port) {
  const mine = `${lock}.${process.pid}.tmp`;
  writeFileSync(mine, describe(port, []), { mode: 0o600 });
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    if (NO_LINKS.includes(error.code)) return createAlone(lock, port);
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Where links are not to be had: the moment between making and filling the file is open to a race. */
function createAlone(lock, port) {
  try {
    writeFileSync(lock, describe(port, []), { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readLock(lock) {
  try {
    return JSON.parse(readFileSync(lock, "utf8"));
  } catch {
    return undefined;
  }
}

/** A workerd whose launcher was killed keeps its port and its databases open. */
async function endLeftovers(runtimes) {
  for (const mark of runtimes) killMarked(mark, "SIGKILL");
  const deadline = Date.now() + KILL_WAIT_MS;
  while (runtimes.some(isAlive)) {
    if (Date.now() > deadline) {
      throw new Complaint(
        `process ${runtimes.find(isAlive).pid} of an earlier run does not end; kill it and start again`,
      );
    }
    await sleep(POLL_MS);
  }
}

const token = (prefix) => `${prefix}${randomBytes(24).toString("base64url")}`;

/** What an earlier start made, or a new one. */
function kept(path, make) {
  try {
    const before = readFileSync(path, "utf8").trim();
    if (before !== "") return before;
  } catch (error) {
    if (error.code !== "ENOENT") throw new Complaint(`cannot read ${shown(path)} (${error.code})`);
  }
  const made = make();
  replaceFile(path, `${made}\n`);
  return made;
}

/** Rename is atomic: a crash leaves the old or the new file, never half of one. */
function replaceFile(path, text) {
  const next = `${path}.${process.pid}.tmp`;
  writeFileSync(next, text, { mode: 0o600 });
  renameSync(next, path);
}

function shown(path) {
  const short = relative(ROOT, path);
  return short.startsWith("..") ? path : short;
}
