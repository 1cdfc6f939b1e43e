/** `npm start` as a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ADMIN_TOKEN } from "./stack.ts";

/** Two cores, shared with whatever else runs. */
const READY_DEADLINE_MS = 60_000;

export interface Launched {
  url: string;
  /** What it printed so far. */
  output(): string;
  kill(victim: Victim): Promise<void>;
}

export type Victim = "workerd" | "launcher" | "both";

/** Resolves at the ready line. */
export async function launch(data: string, port: number, args: readonly string[] = []): Promise<Launched> {
  const child = spawn(process.execPath, ["scripts/start.mjs", "--no-demo", "--no-build", ...args], {
    env: { ...process.env, PORT: String(port), TAILRACE_DATA: data, TAILRACE_ADMIN_TOKEN: ADMIN_TOKEN },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`not ready in ${READY_DEADLINE_MS} ms:\n${output}`)),
      READY_DEADLINE_MS,
    );
    const read = (chunk: Buffer) => {
      output += chunk;
      if (!output.includes("Tailrace is ready on")) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`ended with ${code} before it was ready:\n${output}`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    kill: (victim) => kill(child, data, victim),
  };
}

/**
 * SIGKILL to the victim first, as a crash would have it. The launcher is ended
 * in any case: what is under test is what the next start finds.
 */
async function kill(child: ChildProcess, data: string, victim: Victim): Promise<void> {
  const launcher = child.pid as number;
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  if (victim !== "launcher") for (const pid of runtimes(data)) signal(pid);
  signal(launcher);
  await gone;
}

/** workerd's process ids, as the launcher wrote them down for the next start. */
function runtimes(data: string): number[] {
  const { runtimes } = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as { runtimes: { pid: number }[] };
  return runtimes.map((runtime) => runtime.pid);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
