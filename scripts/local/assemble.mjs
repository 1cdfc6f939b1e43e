/**
 * From configurations and bundles to Miniflare's options: the platform as
 * wrangler.toml describes it, the demo beside it. Reads the bundles from dist/
 * anew each time, so calling it again is how a rebuilt platform gets in.
 */
import { readFileSync } from "node:fs";
import { demoWorkers } from "./demo-workers.mjs";

export const PLATFORM = "tailrace";
export const HOST = "127.0.0.1";
/** Where the local edge answers as Cloudflare's API, of a platform on this port. */
export const edgeApi = (port) => `http://${HOST}:${port + 1}/client/v4`;

/**
 * @param {object} parts
 * @param {number} parts.port
 * @param {string} parts.state directory of D1, R2 and Durable Objects
 * @param {string} parts.bundle the platform's code
 * @param {object} parts.config the platform's worker options, from wrangler.toml
 * @param {Map<string, { options: object }>} parts.configs of all Workers, by path
 * @param {object} [parts.builtDemo] undefined: no shop
 * @param {boolean} parts.observed whether the shop's tails lead to Tailrace
 * @param {string} parts.adminToken
 * @param {string} parts.edgeToken of the local edge's API
 * @param {string} parts.secretKey under which the platform encrypts credentials
 * @param {object} [parts.platform] merged over the platform's options
 * @param {object[]} [parts.workers] more of them
 * @param {number} [parts.inspectorPort]
 * @param {(line: string) => void} parts.log
 * @returns {{ options: object, crons: { worker: string, cron: string }[] }} options in Miniflare 4's form
 */
export function assemble(parts) {
  const { port, config, configs, builtDemo, observed, log } = parts;
  const tail = observed ? PLATFORM : null;
  const shop = builtDemo
    ? demoWorkers({
        ...{ built: builtDemo, port: port + 1, host: HOST, tail, configs },
        ...{ edgeToken: parts.edgeToken, platformToken: parts.adminToken },
      })
    : { workers: [], crons: [] };
  const options = {
    host: HOST,
    port,
    // No look-up of a real request.cf over the network: the edge makes its own.
    cf: false,
    telemetry: { enabled: false },
    ...(parts.inspectorPort === undefined ? {} : { inspectorPort: parts.inspectorPort }),
    logRequests: false,
    resourcePersistencePath: parts.state,
    handleStructuredLogs: ({ level, message }) => log(`${level} ${message}`),
    workers: [platformWorker(parts), ...shop.workers, ...(parts.workers ?? [])],
  };
  return { options, crons: [...config.cronTriggers.map((cron) => ({ worker: PLATFORM, cron })), ...shop.crons] };
}

function platformWorker({ bundle, config, adminToken, secretKey, platform, port }) {
  const worker = {
    ...config,
    name: PLATFORM,
    modules: [{ type: "ESModule", path: "index.js", contents: readFileSync(bundle, "utf8") }],
    bindings: {
      ...config.bindings,
      TAILRACE_ADMIN_TOKEN: adminToken,
      TAILRACE_SECRET_KEY: secretKey,
      // Without the shop nobody answers there: nothing on this machine acts on a real account.
      CLOUDFLARE_API_BASE_URL: edgeApi(port),
      // Receivers of integrations that run on this machine may be sent to, as nowhere else.
      TAILRACE_ALLOW_LOOPBACK: "true",
    },
  };
  return merge(worker, platform);
}

/** One level deep: bindings are added, not replaced. */
function merge(base, extra = {}) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(extra)) {
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    merged[key] = isMap ? { ...base[key], ...value } : value;
  }
  return merged;
}
