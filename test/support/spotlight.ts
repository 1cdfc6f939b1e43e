/**
 * Sentry's own Spotlight as a receiver: another implementation's parser says
 * whether an envelope is one. It is installed beside Tailrace's packages, not
 * among them (test/receivers/), once, by whichever test needs it first.
 */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { missingPackages, ROOT, toolEnv } from "../../scripts/lib/toolchain.mjs";
import { freePort } from "./stack.ts";

const FOLDER = join(ROOT, "test/receivers");
const START_MS = 20_000;
const WAIT_MS = 20_000;

// biome-ignore lint/suspicious/noExplicitAny: payloads are looked into freely
type Json = any;
/** As Spotlight has parsed it: headers, and items of headers and payload. */
export type Received = [Json, [Json, Json][]];

function install(): void {
  if (missingPackages(FOLDER).length === 0) return;
  const { status, stderr } = spawnSync(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: FOLDER,
      env: toolEnv(),
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`npm ci in test/receivers failed; is the registry reachable?\n${stderr}`);
}

export class Spotlight {
  readonly port: number;
  readonly received: Received[] = [];
  readonly #stop: () => void;

  private constructor(port: number, stop: () => void) {
    this.port = port;
    this.#stop = stop;
  }

  get dsn(): string {
    return `http://spotlight0key@127.0.0.1:${this.port}/1`;
  }

  static async start(): Promise<Spotlight> {
    install();
    const port = await freePort();
    const code = `import { setupSpotlight } from "@spotlightjs/spotlight"; await setupSpotlight({ port: ${port}, isStandalone: true });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: FOLDER, stdio: "ignore" });
    const abort = new AbortController();
    const spotlight = new Spotlight(port, () => {
      abort.abort();
      child.kill();
    });
    try {
      await spotlight.#listen(abort.signal);
    } catch (error) {
      spotlight.stop();
      throw error;
    }
    return spotlight;
  }

  stop(): void {
    this.#stop();
  }

  /** The first payload of this type that `wanted` says yes to, however late it comes. */
  async payload(type: string, wanted: (payload: Json) => boolean = () => true): Promise<Json> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const payloads = this.received.flatMap(([, items]) => items.filter(([header]) => header.type === type));
      const found = payloads.find(([, payload]) => wanted(payload));
      if (found !== undefined) return found[1];
      if (Date.now() > deadline) throw new Error(`Spotlight received no such ${type} within ${WAIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Its page reads the same stream of server-sent events. */
  async #listen(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${this.port}/stream`, { signal }).catch(() => undefined);
      if (response?.ok && response.body !== null) {
        void this.#read(response.body).catch(() => undefined);
        return;
      }
      if (Date.now() > deadline) throw new Error("Spotlight did not start");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      const messages = rest.split("\n\n");
      rest = messages.pop() ?? "";
      for (const message of messages) {
        const data = message.split("\n").filter((line) => line.startsWith("data:"));
        if (data.length > 0) this.received.push(JSON.parse(data.map((line) => line.slice(5)).join("\n")) as Received);
      }
    }
  }
}
