/** Secrets of Workers through Cloudflare's API, as `delivery/resources/` is handed it. Never throws. */
import { connectedWorkers } from "../../cloudflare/connection.ts";
import type { ApiFailureKind, ApiResult } from "../../cloudflare/contract.ts";
import type { SecretWriter, Written } from "../../delivery/resources/write.ts";

const NOT_CONNECTED = "No Cloudflare account is connected: connect one under Settings, then write it again.";

/** Throws when D1 does. */
export async function secretWriter(env: Env): Promise<SecretWriter> {
  const workers = await connectedWorkers(env);
  if (!workers.ok) return failing(workers.why === "no_token" ? workers.message : NOT_CONNECTED);
  const { client } = workers;
  const self = env.TAILRACE_SCRIPT;
  return {
    async put(script, name, text) {
      // Its own secrets are not for integrations to write.
      if (script === self)
        return { ok: false, message: "Secrets are not written into Tailrace itself.", certain: true };
      return written(await client.putSecret(script, name, text));
    },
    async remove(script, name) {
      const removed = await client.deleteSecret(script, name);
      return !removed.ok && removed.kind === "not_found" ? { ok: true } : written(removed);
    },
    async names(script) {
      const listed = await client.secretNames(script);
      return listed.ok ? { ok: true, names: listed.value } : { ok: false, message: listed.message };
    },
  };
}

/** Cloudflare understood, and did nothing. */
const SAID_NO: ReadonlySet<ApiFailureKind> = new Set(["unauthorized", "not_found", "refused", "rate_limited"]);

const written = (result: ApiResult<void>): Written =>
  result.ok ? { ok: true } : { ok: false, message: result.message, certain: SAID_NO.has(result.kind) };

function failing(message: string): SecretWriter {
  const fails = async () => ({ ok: false as const, message, certain: true });
  return { put: fails, remove: fails, names: fails };
}
