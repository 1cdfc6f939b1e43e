/** A stack of its own for a test file: free port, empty data directory, known token; all gone afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StackOptions, startStack } from "../../scripts/local/stack.mjs";
import { Client } from "./client.ts";

export const ADMIN_TOKEN = "system-test-admin-token";

export type Stack = Awaited<ReturnType<typeof startStack>>;

export interface TestStack {
  stack: Stack;
  client: Client;
  data: string;
  /** Stops, then starts on the same data. */
  restart(): Promise<TestStack>;
  stop(): Promise<void>;
}

/** Without the shop, from the build in dist/, unless `options` say otherwise. */
export async function startTestStack(options: Partial<StackOptions> = {}): Promise<TestStack> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "tailrace-system-"));
  const stack = await startStack({
    port: await freePort(),
    demo: false,
    build: false,
    adminToken: ADMIN_TOKEN,
    onLog: showBroken,
    ...options,
    data,
  });
  const client = new Client(stack.url, ADMIN_TOKEN);
  return {
    stack,
    client,
    data,
    async restart() {
      await stack.stop();
      return startTestStack({ ...options, data });
    },
    async stop() {
      await stack.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** What the platform answers with a bare 500 is explained only here, and the log goes with the data. An outage is not shown. */
function showBroken(line: string): void {
  if (line.startsWith('error {"requestId"') && !/"error":"(DatabaseError|DrizzleQueryError)"/.test(line))
    console.error(line);
}

/** A port whose next one is free as well (the shop's). */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve) => {
      const server = createServer();
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
      });
    });
    if (port > 0 && port < 65_000 && (await isFree(port + 1))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
