/**
 * The Worker's key for credentials of others (workers/secrets/seal.ts). Made and
 * set once: another one would make what is stored unreadable. It goes from here
 * to wrangler's standard input and is in no argument, file or line of output.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Complaint } from "./complaint.mjs";
import { ROOT, toolEnv } from "./toolchain.mjs";

export const SECRET_KEY = "TAILRACE_SECRET_KEY";
const KEY_BYTES = 32;

export const newSecretKey = () => randomBytes(KEY_BYTES).toString("base64");

/**
 * @param {string[]} target wrangler's options that say which Worker
 * @param {(args: string[], input?: string) => { ok: boolean, stdout: string }} [wrangler]
 * @returns {boolean} whether it was made now
 */
export function ensureSecretKey(target, wrangler = runWrangler) {
  const listed = wrangler(["secret", "list", "--format", "json", ...target]);
  const names = listed.ok ? namesIn(listed.stdout) : undefined;
  // Not knowing is not "it has none".
  if (names === undefined) {
    throw new Complaint(
      `the Worker is deployed, but it cannot be told whether it has the secret ${SECRET_KEY} (wrangler secret list failed); run npm run deploy again`,
    );
  }
  if (names.includes(SECRET_KEY)) return false;
  if (!wrangler(["secret", "put", SECRET_KEY, ...target], newSecretKey()).ok) {
    throw new Complaint(
      `the Worker is deployed, but the secret ${SECRET_KEY} could not be set; run npm run deploy again`,
    );
  }
  return true;
}

/** undefined: not a list of secrets. */
function namesIn(text) {
  try {
    const secrets = JSON.parse(text);
    return Array.isArray(secrets) ? secrets.map(({ name }) => name) : undefined;
  } catch {
    return undefined;
  }
}

/** What wrangler complains of goes to the terminal; its output is ours to read. */
function runWrangler(args, input = "") {
  const stdio = ["pipe", "pipe", "inherit"];
  const { status, signal, stdout } = spawnSync("wrangler", args, {
    cwd: ROOT,
    env: toolEnv(),
    input,
    stdio,
    encoding: "utf8",
  });
  if (signal) process.exit(130);
  return { ok: status === 0, stdout };
}
