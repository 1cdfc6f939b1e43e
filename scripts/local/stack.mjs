/**
 * The whole of Tailrace on this machine: the platform from wrangler.toml and,
 * if wanted, the demo shop, in one workerd through Miniflare. `npm start`, the
 * system tests and the bench all start it here. Throws a Complaint for what a
 * user can put right.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundlePlatform, platformBundle } from "../lib/bundle.mjs";
import { Complaint } from "../lib/complaint.mjs";
import { buildDashboard, isBuilt } from "../lib/dashboard-build.mjs";
import { ROOT } from "../lib/toolchain.mjs";
import { assemble, edgeApi, HOST, PLATFORM } from "./assemble.mjs";
import { connectEdge } from "./connect-edge.mjs";
import { startCrons } from "./cron.mjs";
import { openDataDir } from "./data-dir.mjs";
import { uploadDemoMaps } from "./demo-maps.mjs";
import { buildDemo, demoConfigs, EDGE_ACCOUNT, readBuiltDemo } from "./demo-workers.mjs";
import { guardRuntimes } from "./guard.mjs";
import { migrate } from "./migrate.mjs";
import { requireFreePort } from "./ports.mjs";
import { readWorkerConfigs } from "./worker-config.mjs";
import { openWorkerLog } from "./worker-log.mjs";

const CONFIG = join(ROOT, "wrangler.toml");
const MIGRATIONS = join(ROOT, "migrations");
/** Durable Objects wake, D1 opens: a second here, more while other work keeps the cores busy. */
const READY_TIMEOUT_MS = 30_000;
/** An answer that says "not well" for this long will go on saying so: start, and let the user see why. */
const UNWELL_TIMEOUT_MS = 8_000;
const READY_POLL_MS = 50;

/**
 * @typedef {object} StackOptions
 * @property {number} port of the platform; the shop gets port + 1
 * @property {string} data directory
 * @property {boolean} [fresh] drop what is in it
 * @property {boolean} [demo] also the shop (default true)
 * @property {boolean} [observed] whether the shop's tails lead to Tailrace (default true)
 * @property {string} [adminToken] default: the one kept in the data directory
 * @property {boolean} [build] false: take dist/ as it is (default true)
 * @property {boolean} [dashboard] false: leave the dashboard's build alone (default: as `build`)
 * @property {string} [entry] main module in place of wrangler.toml's, for tests that wrap the platform
 * @property {object} [platform] more Miniflare worker options for the platform, merged over wrangler.toml's
 * @property {object[]} [workers] more Miniflare workers beside it
 * @property {number} [inspectorPort] where workerd's inspector answers; without it there is none
 * @property {(line: string) => void} [onLog] what Workers print; default: <data>/workers.log
 */

/**
 * @typedef {object} Stack
 * @property {import("miniflare").Miniflare} mf
 * @property {string} main the platform's main module
 * @property {string} url
 * @property {string | undefined} shopUrl
 * @property {{ apiUrl: string, accountId: string, token: string } | undefined} edge what wrangler needs to deploy to the shop
 * @property {string} adminToken
 * @property {string} data the directory, absolute
 * @property {string[]} migrated names of the migrations that this start applied
 * @property {boolean} healthy whether /healthz said 200 before patience ran out
 * @property {{ worker: string, cron: string }[]} crons
 * @property {() => number[]} pids workerd's process ids, for tests that kill it
 * @property {(worker: string, cron: string, at?: Date) => Promise<void>} fireCron runs a scheduled handler now
 * @property {() => Promise<void>} reload takes the platform's bundle from disk again; the data stays
 * @property {() => Promise<void>} stop
 *
 * @param {StackOptions} options
 * @returns {Promise<Stack>}
 */
export async function startStack(options) {
  // First, because it ends what an earlier run left behind on our port.
  const data = await openDataDir(options.data, options.port);
  const guard = guardRuntimes((pid) => data.remember(pid));
  const owned = { data, guard, mf: undefined, temporary: [] };
  try {
    return await bringUp(options, owned);
  } catch (error) {
    await release(owned).catch(() => {});
    throw asComplaint(error, options.port);
  }
}

async function bringUp(options, owned) {
  const { port, demo = true } = options;
  const { data, guard } = owned;
  await requireFreePort(port, "the platform");
  if (demo) await requireFreePort(port + 1, "the demo shop");
  if (options.fresh) data.drop();
  const parts = await prepareParts(options, owned);
  const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
  const { options: miniflareOptions, crons } = assemble(parts);
  const mf = keepSignals(() => new Miniflare(convertV4MiniflareOptions(miniflareOptions)));
  owned.mf = mf;
  await mf.ready;
  const migrated = await migrate(await mf.getD1Database("DB", PLATFORM), MIGRATIONS);
  const healthy = await becomeReady(`http://${HOST}:${port}/healthz`);
  const edge = demo ? { apiUrl: edgeApi(port), accountId: EDGE_ACCOUNT, token: parts.edgeToken } : undefined;
  if (demo && parts.observed && healthy) {
    await Promise.all([sendDemoMaps(parts, options.build ?? true), connect(parts, edge)]);
  }
  const fireCron = async (worker, cron, at = new Date()) => {
    const handle = await mf.getWorker(worker);
    await handle.scheduled({ cron, scheduledTime: at });
  };
  const jobs = crons.map(({ worker, cron }) => ({ cron, fire: (_, at) => fireCron(worker, cron, at) }));
  const stopCrons = startCrons(jobs, (message) => parts.log(`error ${message}`));
  return {
    mf,
    main: parts.main,
    url: `http://localhost:${port}`,
    shopUrl: demo ? `http://localhost:${port + 1}` : undefined,
    edge,
    adminToken: parts.adminToken,
    data: data.dir,
    migrated,
    healthy,
    crons,
    pids: guard.pids,
    fireCron,
    async reload() {
      await mf.setOptions(convertV4MiniflareOptions(assemble(parts).options));
      await migrate(await mf.getD1Database("DB", PLATFORM), MIGRATIONS);
    },
    async stop() {
      stopCrons();
      await release(owned);
    },
  };
}

/** Before the first visitor: an error whose map comes later is shown with minified names until then. */
async function sendDemoMaps({ port, adminToken, builtDemo, log }, build) {
  const { versions } = builtDemo;
  const failure = await uploadDemoMaps({ url: `http://${HOST}:${port}`, token: adminToken, versions, build });
  if (failure !== undefined) log(`error the demo's source maps are not uploaded: ${failure}`);
}

/** The platform may deploy to the local edge from the start. Without it everything works but rollouts. */
async function connect({ port, adminToken, log }, edge) {
  const failure = await connectEdge({ url: `http://${HOST}:${port}`, token: adminToken, edge });
  if (failure !== undefined) log(`error the local edge is not connected: ${failure}`);
}

/** Builds what is to be built, and collects what assemble() needs. */
async function prepareParts(options, { data, temporary }) {
  const { port, entry, demo = true, build = true, observed = true, platform, workers, inspectorPort } = options;
  const configs = await readWorkerConfigs([CONFIG, ...demoConfigs]);
  const { main: configured, options: config } = configs.get(CONFIG);
  const main = entry ?? configured;
  const bundle = entry ? join(ROOT, "dist/platform", `entry-${process.pid}-${port}.js`) : platformBundle();
  if (entry) temporary.push(bundle, `${bundle}.map`);
  if (build || entry) await bundlePlatform(main, bundle);
  if (options.dashboard ?? build) await buildDashboard();
  const builtDemo = demo ? await demoBundles(build) : undefined;
  requireBuilt(bundle);
  const adminToken = data.adminToken(options.adminToken);
  const keys = { adminToken, edgeToken: data.edgeToken(), secretKey: data.secretKey() };
  const log = options.onLog ?? openWorkerLog(data.log);
  const { state } = data;
  const given = { port, observed, ...keys, platform, workers, inspectorPort };
  return { ...given, state, bundle, main, config, configs, builtDemo, log };
}

async function release({ mf, guard, data, temporary }) {
  await mf?.dispose();
  guard.release();
  for (const file of temporary) rmSync(file, { force: true });
  data.release();
}

async function demoBundles(build) {
  if (build) return buildDemo();
  try {
    return readBuiltDemo();
  } catch {
    throw new Complaint("the demo is not built (dist/demo); run npm run build, or start without --no-build");
  }
}

function requireBuilt(bundle) {
  if (!existsSync(bundle)) {
    throw new Complaint("the platform is not built (dist/platform); run npm run build, or start without --no-build");
  }
  if (!isBuilt()) {
    throw new Complaint("the dashboard is not built (dist/dashboard); run npm run build, or start without --no-build");
  }
}

/** Miniflare exits the process on a signal of its own accord; ours has work to finish first. */
function keepSignals(create) {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const before = signals.map((signal) => process.listeners(signal));
  const created = create();
  signals.forEach((signal, i) => {
    for (const listener of process.listeners(signal)) {
      if (!before[i].includes(listener)) process.removeListener(signal, listener);
    }
  });
  return created;
}

/** A receiver that is down since before the start is no reason to wait: the platform is ready all the same. */
const isReady = (answer, body) =>
  answer.ok || (body?.checks?.length > 0 && body.checks.every(({ name, ok }) => ok || name === "consumers"));

/** @returns {Promise<boolean>} whether the platform says that it is well */
async function becomeReady(url) {
  const started = Date.now();
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    const isWell = answer !== undefined && isReady(answer, await answer.json().catch(() => undefined));
    const waited = Date.now() - started;
    if (isWell || (answer !== undefined && waited > UNWELL_TIMEOUT_MS)) return isWell;
    if (waited > READY_TIMEOUT_MS)
      throw new Complaint("the platform does not answer /healthz; see workers.log in the data directory");
    await new Promise((done) => setTimeout(done, READY_POLL_MS));
  }
}

function asComplaint(error, port) {
  if (error.code === "ERR_ADDRESS_IN_USE")
    return new Complaint(`port ${port} or ${port + 1} is taken; set PORT to another one`);
  if (error.code === "ERR_RUNTIME_FAILURE") {
    return new Complaint(`workerd did not start: ${error.message.split("\n").slice(-1)[0]}`);
  }
  return error;
}
