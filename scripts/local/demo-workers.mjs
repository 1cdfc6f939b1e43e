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
/** The local account: any id of Cloudflare's form. */
export const EDGE_ACCOUNT = "10ca1ed9e0000000000000000000feed";
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
    entrypoint: "Checkout",
    // A session stays with one version, as a version key would make it.
    affinity: "sessionId",
    versions: [
      { tag: "v2.0.1", entry: "src/v1.ts", percent: 75, message: "Round per line, not per order" },
      { tag: "v2.1.0", entry: "src/v2.ts", percent: 25, message: "Loyalty discounts, new payment client" },
    ],
  },
  {
    dir: "stock",
    name: "shop-stock",
    fixed: "shop-stock has Durable Objects of its own, which run only as the launcher built them",
    versions: [{ tag: "v1.0.3", entry: "src/index.ts", percent: 100, message: "Restock by alarm" }],
  },
  {
    dir: "orders",
    name: "shop-orders",
    fixed: "shop-orders consumes a queue, which is delivered only to what the launcher built",
    versions: [{ tag: "v1.2.0", entry: "src/index.ts", percent: 100, message: "Nightly report" }],
  },
  {
    dir: "live",
    name: "shop-live",
    entrypoint: "Feed",
    fixed: "shop-live has Durable Objects of its own, which run only as the launcher built them",
    versions: [{ tag: "v1.0.0", entry: "src/index.ts", percent: 100, message: "Order feed over WebSockets" }],
  },
  {
    dir: "reviews",
    name: "shop-reviews",
    // A Worker of Miniflare's is bound to its tail for good; one that the edge loads follows its settings.
    isLoaded: true,
    versions: [{ tag: "v1.0.1", entry: "src/index.ts", percent: 100, message: "Reviews of products" }],
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
 * @param {object} given
 * @param {Awaited<ReturnType<typeof buildDemo>>} given.built
 * @param {number} given.port
 * @param {string} given.host
 * @param {string | null} given.tail names the Worker that observes, null for none
 * @param {string} given.edgeToken of the edge's API
 * @param {string} given.platformToken for the tails of uploaded versions
 * @param {Awaited<ReturnType<typeof import("./worker-config.mjs").readWorkerConfigs>>} given.configs
 * @returns {{ workers: object[], crons: { worker: string, cron: string }[] }}
 */
export function demoWorkers(given) {
  const { built, tail, configs } = given;
  const workers = [];
  const crons = [];
  for (const worker of WORKERS) {
    if (worker.isLoaded) continue;
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
  workers.push(edgeWorker(given));
  return { workers, crons };
}

/** The Worker in front: not observed, as Cloudflare's own edge is not. */
function edgeWorker({ built, port, host, tail, edgeToken, platformToken, configs }) {
  const shop = { scripts: {}, kv: {}, queues: {}, objects: {} };
  const serviceBindings = {};
  const kvNamespaces = { UPLOADED_KV: "uploaded" };
  const queueProducers = {};
  const durableObjects = {
    REGISTRY: { className: "Registry", useSQLite: true },
    UPLOADED_OBJECTS: { className: "ObjectHost", useSQLite: true },
  };
  for (const worker of WORKERS) {
    const { options } = configs.get(configOf(worker));
    shop.scripts[worker.name] = {
      versions: built.versions
        .filter((version) => version.script === worker.name)
        .map((version) => asUploaded(worker, version, options)),
      tailConsumers: tail === null || worker.isLoaded ? [] : [{ service: tail }],
      ...pick(worker, ["affinity", "fixed"]),
    };
    for (const { binding } of shop.scripts[worker.name].versions) {
      if (binding === null) continue;
      serviceBindings[binding] = binding;
      if (worker.entrypoint)
        serviceBindings[`${binding}#${worker.entrypoint}`] = { name: binding, entrypoint: worker.entrypoint };
    }
    for (const { id } of Object.values(options.kvNamespaces ?? {})) {
      shop.kv[id] = `KV ${id}`;
      kvNamespaces[`KV ${id}`] = id;
    }
    for (const { queueName } of Object.values(options.queueProducers ?? {})) {
      shop.queues[queueName] = `QUEUE ${queueName}`;
      queueProducers[`QUEUE ${queueName}`] = queueName;
    }
    for (const { className, scriptName = worker.name } of Object.values(options.durableObjects ?? {})) {
      shop.objects[`${scriptName}/${className}`] = `OBJECTS ${scriptName}/${className}`;
      durableObjects[`OBJECTS ${scriptName}/${className}`] = { className, scriptName, useSQLite: true };
    }
  }
  return {
    name: EDGE,
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["nodejs_compat"],
    modules: [moduleOf(built.edge)],
    bindings: { SHOP: shop, ACCOUNT: EDGE_ACCOUNT, TOKEN: edgeToken, PLATFORM_TOKEN: platformToken },
    serviceBindings: { ...serviceBindings, ...(tail === null ? {} : { PLATFORM: tail }) },
    kvNamespaces,
    queueProducers,
    durableObjects,
    workerLoaders: { LOADER: {} },
    unsafeDirectSockets: [{ host, port }],
  };
}

/** A built version, with what an upload of it would have said. */
function asUploaded(worker, version, options) {
  return {
    ...pick(version, ["id", "tag", "message", "percent"]),
    binding: worker.isLoaded ? null : localName(worker, version.tag),
    code: worker.fixed === undefined ? moduleOf(version.file).contents : null,
    bindings: bindingsOf(worker, options),
    compatibilityDate: options.compatibilityDate,
    compatibilityFlags: options.compatibilityFlags,
    migrationTag: worker.fixed?.includes("Durable Objects") ? "v1" : null,
  };
}

/** As the metadata of an upload names them. */
function bindingsOf(worker, { kvNamespaces, queueProducers, durableObjects, serviceBindings, bindings }) {
  const list = (map, shape) => Object.entries(map ?? {}).map(([name, value]) => ({ name, ...shape(value) }));
  return [
    ...list(bindings, (value) => ({ type: "plain_text", text: value })),
    ...list(kvNamespaces, ({ id }) => ({ type: "kv_namespace", namespace_id: id })),
    ...list(queueProducers, ({ queueName }) => ({ type: "queue", queue_name: queueName })),
    ...list(durableObjects, ({ className, scriptName = worker.name }) => ({
      type: "durable_object_namespace",
      class_name: className,
      script_name: scriptName,
    })),
    ...list(serviceBindings, ({ name, entrypoint }) => ({
      type: "service",
      service: name,
      ...(entrypoint && { entrypoint }),
    })),
  ];
}

/** A Worker with one version keeps its name, so that its Durable Objects keep their storage. */
function localName(worker, tag) {
  return worker.versions.length === 1 ? worker.name : `${worker.name}-${tag.replaceAll(".", "-")}`;
}

/** Calls to a Worker with versions go through the edge, which picks one; to others they are direct. */
function mapServices(services = {}) {
  const mapped = Object.entries(services).map(([binding, service]) => {
    const target = WORKERS.find((worker) => worker.name === service.name);
    if (target === undefined || target.fixed !== undefined) return [binding, service];
    const props = { script: target.name, ...pick(service, ["entrypoint"]) };
    return [binding, { name: EDGE, entrypoint: "Service", props }];
  });
  return Object.fromEntries(mapped);
}

/** In production a frame names the module; Miniflare would put this machine's path there. */
const moduleOf = (file) => ({
  type: "ESModule",
  path: "index.js",
  contents: `${readFileSync(file, "utf8")}\n//# sourceURL=index.js\n`,
});

const pick = (object, keys) =>
  Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]]));
