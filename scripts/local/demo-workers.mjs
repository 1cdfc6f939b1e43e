/**
 * The demo's Workers as Miniflare options: bundles every version, takes the
 * bindings from each Worker's own wrangler.toml, points its tail at Tailrace,
 * and sends calls between Workers through the local edge where a Worker has
 * more than one version. demo/README.md draws the picture.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleDemo, writeJson } from "../lib/bundle.mjs";
import { ROOT } from "../lib/toolchain.mjs";

const DEMO = join(ROOT, "demo");
const EDGE = "demo-edge";
/** Lists what was built, with ids and source maps. */
const VERSIONS_FILE = join(ROOT, "dist/demo/versions.json");

/** percent: the share of new sessions that a version gets at first. */
const WORKERS = [
  {
    dir: "storefront",
    name: "shop-storefront",
    versions: [
      { tag: "v1.4.2", entry: "src/v1.ts", percent: 80, message: "Faster product pages" },
      { tag: "v1.5.0", entry: "src/v2.ts", percent: 20, message: "Recommendations and typo-tolerant search" },
    ],
  },
  {
    dir: "checkout",
    name: "shop-checkout",
    // Called over RPC: the edge's entrypoint of this name picks the version.
    router: "CheckoutRouter",
    entrypoint: "Checkout",
    versions: [
      { tag: "v2.0.1", entry: "src/v1.ts", percent: 75, message: "Round per line, not per order" },
      { tag: "v2.1.0", entry: "src/v2.ts", percent: 25, message: "Loyalty discounts, new payment client" },
    ],
  },
  {
    dir: "stock",
    name: "shop-stock",
    versions: [{ tag: "v1.0.3", entry: "src/index.ts", percent: 100, message: "Restock by alarm" }],
  },
  {
    dir: "orders",
    name: "shop-orders",
    versions: [{ tag: "v1.2.0", entry: "src/index.ts", percent: 100, message: "Nightly report" }],
  },
  {
    dir: "live",
    name: "shop-live",
    versions: [{ tag: "v1.0.0", entry: "src/index.ts", percent: 100, message: "Order feed over WebSockets" }],
  },
];

const configOf = (worker) => join(DEMO, worker.dir, "wrangler.toml");
/** Paths of the Workers' configurations. */
export const demoConfigs = WORKERS.map(configOf);

/** Builds all versions; the answer is also in dist/demo/versions.json. */
export async function buildDemo() {
  const versions = [];
  for (const worker of WORKERS) {
    for (const { tag, entry, percent, message } of worker.versions) {
      const { file, id } = await bundleDemo(join(DEMO, worker.dir, entry), worker.name, tag);
      versions.push({ script: worker.name, id, tag, message, percent, file, map: `${file}.map` });
    }
  }
  const edge = await bundleDemo(join(DEMO, "edge/index.ts"), EDGE, "local");
  const built = { versions, edge: edge.file };
  writeJson(VERSIONS_FILE, built);
  return built;
}

/** What the last build left in dist/. @throws when there is none */
export const readBuiltDemo = () => JSON.parse(readFileSync(VERSIONS_FILE, "utf8"));

/**
 * @param {{ built: Awaited<ReturnType<typeof buildDemo>>, port: number, host: string, tail: string | null,
 *   configs: Awaited<ReturnType<typeof import("./worker-config.mjs").readWorkerConfigs>> }} given `tail` names the Worker that observes, null for none
 * @returns {{ workers: object[], crons: { worker: string, cron: string }[] }}
 */
export function demoWorkers({ built, port, host, tail, configs }) {
  const workers = [];
  const crons = [];
  for (const worker of WORKERS) {
    const { options } = configs.get(configOf(worker));
    const versions = built.versions.filter((version) => version.script === worker.name);
    for (const cron of options.cronTriggers ?? []) crons.push({ worker: localName(worker, versions[0].tag), cron });
    for (const version of versions) {
      const props = { local: true, script: worker.name, version: pick(version, ["id", "tag", "message"]) };
      workers.push({
        ...options,
        name: localName(worker, version.tag),
        serviceBindings: mapServices(options.serviceBindings),
        modules: [moduleOf(version.file)],
        tails: tail === null ? [] : [{ name: tail, props }],
        unsafeDirectSockets: [],
      });
    }
  }
  workers.push(edgeWorker(built, port, host));
  return { workers, crons };
}

/** The Worker in front: not observed, as Cloudflare's own edge is not. */
function edgeWorker(built, port, host) {
  const scripts = {};
  const serviceBindings = {};
  for (const worker of WORKERS) {
    if (worker.versions.length === 1) continue;
    scripts[worker.name] = built.versions
      .filter((version) => version.script === worker.name)
      .map((version) => {
        const binding = localName(worker, version.tag);
        serviceBindings[binding] = { name: binding, entrypoint: worker.entrypoint };
        return { ...pick(version, ["id", "tag", "percent"]), binding };
      });
  }
  return {
    name: EDGE,
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["nodejs_compat"],
    modules: [moduleOf(built.edge)],
    bindings: { VERSIONS: scripts },
    serviceBindings,
    durableObjects: { DEPLOYMENTS: { className: "Deployments", useSQLite: true } },
    unsafeDirectSockets: [{ host, port }],
  };
}

/** A Worker with one version keeps its name, so that its Durable Objects keep their storage. */
function localName(worker, tag) {
  return worker.versions.length === 1 ? worker.name : `${worker.name}-${tag.replaceAll(".", "-")}`;
}

function mapServices(services = {}) {
  const mapped = Object.entries(services).map(([binding, service]) => {
    const target = WORKERS.find((worker) => worker.name === service.name);
    return [binding, target?.router ? { name: EDGE, entrypoint: target.router } : service];
  });
  return Object.fromEntries(mapped);
}

/** In production a frame names the module; Miniflare would put this machine's path there. */
const moduleOf = (file) => ({
  type: "ESModule",
  path: "index.js",
  contents: `${readFileSync(file, "utf8")}\n//# sourceURL=index.js\n`,
});

const pick = (object, keys) => Object.fromEntries(keys.map((key) => [key, object[key]]));
