/** `npm start` as a user runs it: a process with options, an environment, output and signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DEADLINE_MS = 90_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class StartProcess {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;

  constructor(args: readonly string[], env: Record<string, string>, root = ".") {
    const inherited = { ...process.env };
    // As if typed into a shell, whatever runs this test.
    for (const name of ["PORT", "TAILRACE_DATA", "TAILRACE_ADMIN_TOKEN", "npm_lifecycle_event"]) delete inherited[name];
    const child = spawn(process.execPath, ["scripts/start.mjs", ...args], { cwd: root, env: { ...inherited, ...env } });
    child.stdout.on("data", (chunk) => {
      this.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.#child = child;
    this.#ended = new Promise((done) => {
      child.once("close", (code) => done({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Until the ready line; fails with what was printed when the process ends instead. */
  async ready(): Promise<this> {
    const end = Date.now() + DEADLINE_MS;
    let ended = false;
    this.#ended.then(() => {
      ended = true;
    });
    while (!/^Tailrace is ready on /m.test(this.stdout) || !/log-in token/.test(this.stdout)) {
      if (ended || Date.now() > end) throw new Error(`not ready:\n${this.stdout}\n${this.stderr}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    return this;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  /** For clean-up: gone, however it stands. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }
}

/** workerd's process ids, from what the launcher keeps for the next start. */
export function runtimePids(data: string): number[] {
  const path = join(data, "run.json");
  if (!existsSync(path)) return [];
  const { runtimes } = JSON.parse(readFileSync(path, "utf8")) as { runtimes: { pid: number }[] };
  return runtimes.map((runtime) => runtime.pid);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie answers to signal 0; it has no command line.
  const cmdline = `/proc/${pid}/cmdline`;
  return !existsSync(cmdline) || readFileSync(cmdline, "utf8") !== "";
}
