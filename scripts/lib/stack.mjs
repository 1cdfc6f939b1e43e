/**
 * The whole of Tailrace on this machine: the platform from wrangler.toml and,
 * if wanted, the demo shop, in one workerd through Miniflare. `npm start`, the
 * system tests and the bench all start it here. Throws a Complaint for what a
 * user can put right.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePlatform, platformBundle } from "./bundle.mjs";
import { Complaint } from "./complaint.mjs";
import { startCrons } from "./cron.mjs";
import { buildDashboard, isBuilt } from "./dashboard-build.mjs";
import { openDataDir } from "./data-dir.mjs";
import { buildDemo, demoWorkers, readBuiltDemo } from "./demo-workers.mjs";
import { guardRuntimes } from "./guard.mjs";
import { migrate } from "./migrate.mjs";
import { requireFreePort } from "./ports.mjs";
import { ROOT } from "./toolchain.mjs";

export const PLATFORM = "tailrace";
const HOST = "127.0.0.1";
/** The Workers' log is for looking into a problem of this run, not an archive. */
const MAX_LOG_BYTES = 8 * 2 ** 20;
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
 * @property {(line: string) => void} [onLog] what Workers print; default: <data>/workers.log
 *
 * @param {StackOptions} options
 */
export async function startStack(options) {
  const { port, demo = true, build = true } = options;
  // First, because it ends what an earlier run left behind on our port.
  const data = await openDataDir(options.data, port);
  const guard = guardRuntimes((pid) => data.remember(pid));
  let mf;
  const release = async () => {
    await mf?.dispose();
    guard.release();
    data.release();
  };
  try {
    await requireFreePort(port, "the platform");
    if (demo) await requireFreePort(port + 1, "the demo shop");
    if (options.fresh) data.drop();
    const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
    const config = await readWrangler();
    const main = options.entry ?? config.main;
    const bundle = options.entry ? join(ROOT, "dist/platform", `entry-${process.pid}-${port}.js`) : platformBundle();
    if (build || options.entry) await bundlePlatform(main, bundle);
    if (options.dashboard ?? build) await buildDashboard();
    const builtDemo = demo ? await demoBundles(build) : undefined;
    requireBuilt(bundle);

    const adminToken = data.adminToken(options.adminToken);
    const log = options.onLog ?? fileLog(data.log);
    let crons = [];
    const assemble = () => {
      const shop = demo
        ? demoWorkers({
            built: builtDemo,
            port: port + 1,
            host: HOST,
            tail: options.observed === false ? null : PLATFORM,
            readConfig: config.read,
          })
        : { workers: [], crons: [] };
      crons = [...config.options.cronTriggers.map((cron) => ({ worker: PLATFORM, cron })), ...shop.crons];
      const platform = mergeWorker(
        {
          ...config.options,
          name: PLATFORM,
          modules: [{ type: "ESModule", path: "index.js", contents: readFileSync(bundle, "utf8") }],
          bindings: { ...config.options.bindings, TAILRACE_ADMIN_TOKEN: adminToken },
        },
        options.platform,
      );
      return convertV4MiniflareOptions({
        host: HOST,
        port,
        // No look-up of a real request.cf over the network: the edge makes its own.
        cf: false,
        telemetry: { enabled: false },
        logRequests: false,
        resourcePersistencePath: data.state,
        handleStructuredLogs: ({ level, message }) => log(`${level} ${message}`),
        workers: [platform, ...shop.workers, ...(options.workers ?? [])],
      });
    };
    mf = keepSignals(() => new Miniflare(assemble()));
    await mf.ready;
    const migrated = await migrate(await mf.getD1Database("DB", PLATFORM), join(ROOT, "migrations"));
    const url = `http://localhost:${port}`;
    const healthy = await becomeReady(`http://${HOST}:${port}/healthz`);
    const fire = async (worker, cron, at) => {
      const handle = await mf.getWorker(worker);
      await handle.scheduled({ cron, scheduledTime: at });
    };
    const jobs = crons.map(({ worker, cron }) => ({ cron, fire: (_, at) => fire(worker, cron, at) }));
    const stopCrons = startCrons(jobs, (message) => log(`error ${message}`));
    return {
      mf,
      main,
      url,
      shopUrl: demo ? `http://localhost:${port + 1}` : undefined,
      adminToken,
      data: data.dir,
      migrated,
      healthy,
      crons,
      /** Process ids of workerd, for tests that kill it. */
      pids: guard.pids,
      /** Runs a Worker's scheduled handler now. */
      fireCron: (worker, cron, at = new Date()) => fire(worker, cron, at),
      /** Takes the platform's bundle from disk again; the data stays. */
      reload: async () => mf.setOptions(assemble()),
      async stop() {
        stopCrons();
        await release();
      },
    };
  } catch (error) {
    await release().catch(() => {});
    throw asComplaint(error, port);
  }
}

/** wrangler.toml is the one source of bindings. */
async function readWrangler() {
  process.env.WRANGLER_SEND_METRICS = "false";
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const read = (path) => optionsOf(path).workerOptions;
  const { main, workerOptions } = optionsOf(join(ROOT, "wrangler.toml"));
  return { main, options: workerOptions, read };
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

/** One level deep: bindings are added, not replaced. */
function mergeWorker(base, extra = {}) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(extra)) {
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    merged[key] = isMap ? { ...base[key], ...value } : value;
  }
  return merged;
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

/** @returns {Promise<boolean>} whether the platform says that it is well */
async function becomeReady(url) {
  const started = Date.now();
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    const waited = Date.now() - started;
    if (answer?.ok || (answer !== undefined && waited > UNWELL_TIMEOUT_MS)) return answer.ok;
    if (waited > READY_TIMEOUT_MS)
      throw new Complaint("the platform does not answer /healthz; see workers.log in the data directory");
    await new Promise((done) => setTimeout(done, READY_POLL_MS));
  }
}

function fileLog(path) {
  writeFileSync(path, "");
  let bytes = 0;
  return (line) => {
    bytes += line.length + 1;
    if (bytes > MAX_LOG_BYTES) {
      writeFileSync(path, "(earlier lines were dropped)\n");
      bytes = line.length;
    }
    appendFileSync(path, `${line}\n`);
  };
}

function asComplaint(error, port) {
  if (error.code === "ERR_ADDRESS_IN_USE")
    return new Complaint(`port ${port} or ${port + 1} is taken; set PORT to another one`);
  if (error.code === "ERR_RUNTIME_FAILURE") {
    return new Complaint(`workerd did not start: ${error.message.split("\n").slice(-1)[0]}`);
  }
  return error;
}
