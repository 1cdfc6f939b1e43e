/** Viewers in a process of their own (live-viewers-child.mjs), by number and by what they ask for. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("live-viewers-child.mjs", import.meta.url));
/** A thousand handshakes on two cores take seconds. */
const ANSWER_MS = 60_000;
/** One credential may have this many listeners (workers/live/limits.ts has more). */
const EACH_TOKEN = 150;

/** @param {Awaited<ReturnType<typeof import("./stack.mjs").benchStack>>} bench */
export async function startViewers(bench) {
  const child = fork(CHILD, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting = new Map();
  let asked = 0;
  const fail = (reason) => {
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  child.on("message", ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) resolve?.(answer);
    else reject?.(new Error(`viewers: ${error}`));
  });
  child.on("exit", (code) => fail(`the viewers' process ended with ${code}`));
  const ask = (verb, argument) =>
    new Promise((resolve, reject) => {
      const id = asked++;
      const late = setTimeout(() => reject(new Error(`viewers: no answer to "${verb}"`)), ANSWER_MS);
      const settle = (how) => (value) => {
        clearTimeout(late);
        how(value);
      };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      child.send({ id, verb, argument });
    });
  const tokens = [];
  return {
    pid: child.pid,
    /** @param {number} count @param {{ script: string | null, q?: string, rate?: number }} options */
    async open(count, options) {
      while (tokens.length * EACH_TOKEN < count) tokens.push(await readToken(bench.api, tokens.length));
      return ask("open", { url: bench.stack.url, tokens, count, ...options });
    },
    tally: () => ask("tally"),
    close: () => ask("close"),
    stop() {
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
      fail("the viewers were stopped");
    },
  };
}

export async function readToken(api, n = 0) {
  const body = JSON.stringify({ name: `bench viewer ${n}`, scope: "read" });
  return (await api.call("POST", "/api/v1/tokens", body)).token;
}
