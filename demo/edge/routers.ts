/**
 * Service bindings between Workers come through here when the called Worker
 * has several versions: the same draw as for requests, once per call.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { CheckoutService } from "../shared/contracts.ts";
import { readDeployment } from "./deployments.ts";
import type { EdgeEnv } from "./env.ts";
import { pickVersion } from "./pick.ts";

const SCRIPT = "shop-checkout";

export class CheckoutRouter extends WorkerEntrypoint<EdgeEnv> implements CheckoutService {
  async quote(...args: Parameters<CheckoutService["quote"]>) {
    return (await this.#checkout(args[0].sessionId)).quote(...args);
  }

  async placeOrder(...args: Parameters<CheckoutService["placeOrder"]>) {
    return (await this.#checkout(args[0].sessionId)).placeOrder(...args);
  }

  /** A session stays with one version, as a version key would make it. */
  async #checkout(key: string): Promise<CheckoutService> {
    const shares = await readDeployment(this.env, SCRIPT);
    const version = pickVersion(this.env.VERSIONS[SCRIPT] ?? [], shares, { script: SCRIPT, key, override: null });
    if (version === undefined) throw new Error(`BUG: no version of ${SCRIPT} is deployed`);
    return this.env[version.binding] as CheckoutService;
  }
}
