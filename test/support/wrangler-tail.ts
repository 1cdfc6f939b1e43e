/** The unmodified `wrangler tail` from node_modules, as a process against a running stack; its own state in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until } from "./client.ts";
import { ADMIN_TOKEN } from "./stack.ts";

const WRANGLER = resolve("node_modules/wrangler/bin/wrangler.js");

export interface WranglerOptions {
  /** Of the platform. */
  url: string;
  token?: string;
}

export interface WranglerEnd {
  code: number | null;
  stdout: string;
  stderr: string;
}

type Item = Record<string, unknown>;

export class Wrangler {
  stdout = "";
  stderr = "";
  /** What was printed so far and is not yet a whole object. */
  #rest = "";
  readonly #items: Item[] = [];
  readonly #child: ChildProcess;
  readonly ended: Promise<WranglerEnd>;

  constructor(args: readonly string[], { url, token = ADMIN_TOKEN }: WranglerOptions) {
    const home = mkdtempSync(join(tmpdir(), "tailrace-wrangler-"));
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      cwd: home,
      env: {
        ...process.env,
        ...{ HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_CACHE_HOME: join(home, "cache") },
        ...{ WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", NO_COLOR: "1", FORCE_COLOR: "0" },
        CLOUDFLARE_API_BASE_URL: `${url.replace("localhost", "127.0.0.1")}/client/v4`,
        CLOUDFLARE_API_TOKEN: token,
        CLOUDFLARE_ACCOUNT_ID: "any",
      },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: wrangler is a process that starts another.
      detached: true,
    });
    child.stdout.on("data", (chunk) => {
      this.stdout += chunk;
      this.#rest += chunk;
    });
    child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.#child = child;
    this.ended = new Promise((done) => {
      child.once("close", (code) => {
        rmSync(home, { recursive: true, force: true });
        done({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** What `--format json` has printed: objects over several lines, one after the other. */
  get items(): Item[] {
    for (;;) {
      const end = /^\}$/m.exec(this.#rest);
      if (end === null) return this.#items;
      const text = this.#rest.slice(0, end.index + 1);
      this.#rest = this.#rest.slice(end.index + 2);
      this.#items.push(JSON.parse(text.slice(text.search(/^\{/m))) as Item);
    }
  }

  /** Waits until it has printed what is asked for. */
  async prints(text: string | RegExp, deadlineMs: number): Promise<void> {
    const said = () => `${this.stdout}\n${this.stderr}`;
    await until(
      async () => said(),
      (all) => (typeof text === "string" ? all.includes(text) : text.test(all)),
      deadlineMs,
    );
  }

  /** Ctrl-C, which a terminal sends to all of them. */
  async interrupt(): Promise<WranglerEnd> {
    this.#signal("SIGINT");
    return this.ended;
  }

  /** For clean-up: gone, however it stands. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.ended;
  }

  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // They have ended already.
    }
  }
}
