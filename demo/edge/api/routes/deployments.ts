/** Deployments: the list whose first is live, and a new one. */
import { registryOf } from "../../env.ts";
import { forgetLive } from "../../traffic/live.ts";
import type { Handler, Route } from "../api.ts";
import { answer, failure, noSuchScript, ok } from "../envelope.ts";
import { deploymentOf } from "../shapes.ts";

/** As many as Cloudflare lists. */
const LISTED = 10;

const list: Handler = async ({ env, params }) => {
  const registry = registryOf(env);
  const name = params.script ?? "";
  if ((await registry.script(name)) === null) return noSuchScript();
  const found = await registry.deployments(name, LISTED);
  return ok({ deployments: found.map(deploymentOf) });
};

const create: Handler = async ({ request, env, params, query, author, source }) => {
  const asked: unknown = await request.json().catch(() => null);
  const { annotations } = (asked ?? {}) as { annotations?: Record<string, string> };
  const result = await registryOf(env).deploy(params.script ?? "", {
    ...{ author, source, asked },
    triggeredBy: "deployment",
    message: annotations?.["workers/message"] ?? "",
    force: query.get("force") === "true",
  });
  if (!result.ok) return failure(result.refusal);
  forgetLive();
  return answer(result, deploymentOf);
};

export const deployments: Route[] = [
  ["GET", "/workers/scripts/:script/deployments", list],
  ["POST", "/workers/scripts/:script/deployments", create],
];
