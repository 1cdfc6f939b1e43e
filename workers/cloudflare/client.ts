/**
 * Cloudflare's API, as much of it as rollouts need, over HTTP. `connection.ts`
 * makes one from the connected account; `rollouts/` calls it. Own code instead of
 * the official SDK: docs/decisions/0023.
 */
import * as v from "valibot";
import type { ApiResult, CloudflareClient, DeployRequest } from "./contract.ts";
import { type Account, type Send, sender } from "./request.ts";
import { deploymentList, deploymentMade, oneVersion, tailConsumerList, versionList } from "./shapes.ts";

/** wrangler's own default: long enough for what Durable Objects are busy with. */
const MAX_DELAY_S = 300;
/** No Worker can have this name (letters, digits, `-` and `_` only): what is asked of it can have no effect. */
const NOBODY = "tailrace.may-it-deploy";

/** Nothing of it holds the token where it could be printed: it is in a closure. */
export function createClient(account: Account): CloudflareClient {
  const send = sender(account);
  return {
    deployments: (script) => send({ method: "GET", path: of(script, "deployments"), result: deploymentList }),
    deploy: (script, request) =>
      send({
        method: "POST",
        path: of(script, "deployments"),
        query: request.force === true ? "?force=true" : "",
        body: deploymentBody(request),
        result: deploymentMade,
      }),
    // `deployable` leaves paging aside: one answer with all that can be deployed.
    versions: (script) =>
      send({ method: "GET", path: of(script, "versions"), query: "?deployable=true", result: versionList }),
    version: (script, id) => send({ method: "GET", path: of(script, "versions", id), result: oneVersion }),
    tailConsumers: (script) => send({ method: "GET", path: of(script, "script-settings"), result: tailConsumerList }),
    verify: () => verify(send),
  };
}

const of = (script: string, ...parts: string[]) => ["workers", "scripts", script, ...parts];

function deploymentBody({ versions, message, mode }: DeployRequest) {
  return {
    strategy: "percentage",
    versions: versions.map(({ version, percent }) => ({ version_id: version, percentage: percent })),
    annotations: { "workers/message": message },
    code_update_strategy: mode === "immediate" ? { mode } : { mode, max_delay: MAX_DELAY_S },
  };
}

/**
 * `tokens/verify` says only that a token is active, and not the same way for those of
 * users and of accounts. So it is asked for what rollouts will ask for: first to read the
 * account's Workers, then to deploy nothing to a Worker that cannot exist. Cloudflare looks
 * at permissions first; whoever may deploy is told that there is no such Worker.
 */
async function verify(send: Send): Promise<ApiResult<void>> {
  const mayRead = await send({ method: "GET", path: ["workers", "account-settings"], result: v.unknown() });
  if (!mayRead.ok) return mayRead;
  const body = { strategy: "percentage", versions: [] };
  const mayWrite = await send({ method: "POST", path: of(NOBODY, "deployments"), body, result: v.unknown() });
  if (mayWrite.ok || mayWrite.kind === "not_found" || mayWrite.kind === "refused")
    return { ok: true, value: undefined, attempts: mayRead.attempts };
  return mayWrite;
}
