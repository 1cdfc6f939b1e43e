/** A stack per measure: empty data directory, own port, gone afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../scripts/local/stack.mjs";
import { Api } from "./http.mjs";

const TOKEN = "bench-admin-token";
/** The limit per Worker is for noisy Workers, not for loads: out of the way. */
const NO_LIMIT = { namespace_id: "1001", simple: { limit: 1_000_000_000, period: 10 } };

/**
 * @param {Partial<import("../../scripts/local/stack.mjs").StackOptions> & { workersAt?: (port: number) => object[] }} options
 *   `workersAt`: more Workers, given a free port of their own
 */
export async function benchStack({ workersAt, ...options } = {}) {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "tailrace-bench-"));
  const port = await freePort();
  const stack = await startStack({
    port,
    demo: false,
    build: false,
    adminToken: TOKEN,
    ...(workersAt === undefined ? {} : { workers: workersAt(port + 1) }),
    ...options,
    platform: { ratelimits: { WORKER_LIMIT: NO_LIMIT }, ...options.platform },
    data,
  });
  const api = new Api(stack.url, TOKEN);
  return {
    stack,
    api,
    async restart() {
      api.close();
      await stack.stop();
      return benchStack({ workersAt, ...options, data });
    },
    async stop() {
      api.close();
      await stack.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** The shop answers on the next port: both must be free. */
export async function freePort() {
  for (;;) {
    const port = await tryPort(0);
    if (port !== undefined && (await tryPort(port + 1)) !== undefined) return port;
  }
}

function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const free = server.address().port;
      server.close(() => resolve(free));
    });
  });
}
