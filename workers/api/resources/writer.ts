/** Secrets of Workers through Cloudflare's API, as `delivery/resources/` is handed it. Never throws. */
import { connectedWorkers, rolloutsUnderWay } from "../../cloudflare/connection.ts";
import type { ApiFailureKind, ApiResult } from "../../cloudflare/contract.ts";
import type { SecretWriter, Written } from "../../delivery/resources/write.ts";

const NOT_CONNECTED = "No Cloudflare account is connected: connect one under Settings, then write it again.";

/** More than anybody watches at a time. */
const MAX_ROLLOUTS = 1_000;

/** Those of them that a rollout runs on. Throws when D1 does. */
export async function underRollout(env: Env, scripts: readonly string[]): Promise<string[]> {
  const running = await rolloutsUnderWay(env, MAX_ROLLOUTS);
  return scripts.filter((script) => running.includes(script));
}

/** Throws when D1 does. */
export async function secretWriter(env: Env): Promise<SecretWriter> {
  const [workers, running] = await Promise.all([connectedWorkers(env), rolloutsUnderWay(env, MAX_ROLLOUTS)]);
  if (!workers.ok) return failing(workers.why === "no_token" ? workers.message : NOT_CONNECTED);
  const { client } = workers;
  const self = env.TAILRACE_SCRIPT;
  return {
    async put(script, name, text) {
      // Its own secrets are not for integrations to write.
      if (script === self)
        return { ok: false, message: "Secrets are not written into Tailrace itself.", certain: true };
      if (running.includes(script)) return { ok: false, message: waits(script), certain: true };
      return written(await client.putSecret(script, name, text));
    },
    async remove(script, name) {
      if (running.includes(script)) return { ok: false, message: waits(script), certain: true };
      const removed = await client.deleteSecret(script, name);
      return !removed.ok && removed.kind === "not_found" ? { ok: true } : written(removed);
    },
    async names(script) {
      const listed = await client.secretNames(script);
      return listed.ok ? { ok: true, names: listed.value } : { ok: false, message: listed.message };
    },
  };
}

/** Everybody would get that version at once, in the middle of a comparison of two others. */
const waits = (script: string) =>
  `a rollout of ${script} is under way, and a secret makes a new version that everybody gets. Try again when it has ended.`;

/** Cloudflare understood, and did nothing. */
const SAID_NO: ReadonlySet<ApiFailureKind> = new Set(["unauthorized", "not_found", "refused", "rate_limited"]);

const written = (result: ApiResult<void>): Written =>
  result.ok ? { ok: true } : { ok: false, message: result.message, certain: SAID_NO.has(result.kind) };

function failing(message: string): SecretWriter {
  const fails = async () => ({ ok: false as const, message, certain: true });
  return { put: fails, remove: fails, names: fails };
}
