/** The Courier: a Durable Object per destination that delivers to it. */
import { DurableObject } from "cloudflare:workers";

export class Courier extends DurableObject<Env> {}
