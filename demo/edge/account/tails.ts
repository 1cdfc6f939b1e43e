/** Where tails of a Worker may lead, and whether they lead to the platform. Pure. */
import { NO_SUCH_SCRIPT } from "./rules.ts";
import { type Refusal, refuse, type ScriptRecord } from "./types.ts";

/** The platform's Worker. It is no script of the account: the launcher runs it beside the edge. */
export const OBSERVER = "tailrace";

export type TailConsumers = ScriptRecord["tailConsumers"];

export const isObserved = (consumers: readonly { service: string }[]): boolean =>
  consumers.some(({ service }) => service === OBSERVER);

/** Cloudflare refuses a consumer that does not exist with the code of a script that does not. @returns undefined: fine */
export function refusedConsumer(
  consumers: TailConsumers | null | undefined,
  scripts: readonly Pick<ScriptRecord, "name">[],
): Refusal | undefined {
  const missing = consumers?.find(
    ({ service }) => service !== OBSERVER && !scripts.some(({ name }) => name === service),
  );
  if (missing === undefined) return undefined;
  return refuse(404, NO_SUCH_SCRIPT, "workers.api.error.script_not_found").refusal;
}
