/** The guard of one Worker's gradual deployments: a Durable Object by the Worker's name. */
import { DurableObject } from "cloudflare:workers";
import type { Rollout } from "../api/contract.ts";
import type { GuardResult, GuardRpc } from "./contract.ts";

const NOT_CONNECTED = {
  ok: false,
  code: "not_connected",
  message: "No Cloudflare account is connected: an admin connects one under Settings.",
} as const;

export class RolloutGuard extends DurableObject<Env> implements GuardRpc {
  async start(): Promise<GuardResult<Rollout>> {
    return NOT_CONNECTED;
  }

  async preflight(): Promise<typeof NOT_CONNECTED> {
    return NOT_CONNECTED;
  }

  async command(): Promise<typeof NOT_CONNECTED> {
    return NOT_CONNECTED;
  }

  async read(): Promise<null> {
    return null;
  }

  async evidence(): Promise<null> {
    return null;
  }

  async current(): Promise<null> {
    return null;
  }

  async noticed(): Promise<void> {}
}
