/** `GET /api/v1/workers/:script/deployment`: what is live at Cloudflare, what else is uploaded, and the rollout that runs. */
import * as v from "valibot";
import { connectedClient } from "../../cloudflare/connection.ts";
import type { GuardRpc } from "../../rollouts/contract.ts";
import type { Handler } from "../context.ts";
import type { DeploymentAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { readParams, scriptName } from "../input.ts";
import { readDeployment } from "../rollouts/deployment.ts";
import { cloudflareFailure } from "../rollouts/failure.ts";

export const deployment: Handler = async (c) => {
  const params = readParams(c, v.object({ script: scriptName }));
  if (!params.ok) return params.failure;
  const { script } = params.value;
  const client = await connectedClient(c.env);
  if (client === null)
    return fail(
      "not_connected",
      "Tailrace is not connected to a Cloudflare account: an admin connects one under Settings, with an API token that may edit Workers (docs/rollouts.md).",
    );
  const told = await readDeployment(client, script);
  if (!told.ok) return cloudflareFailure(told);
  // Only now: a name that Cloudflare does not know needs no guard.
  const guard: GuardRpc = c.env.ROLLOUTS.getByName(script);
  const rollout = await guard.current();
  return c.json({ ...told.value, rollout } satisfies DeploymentAnswer);
};
