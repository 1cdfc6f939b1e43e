/** The Counters: one Durable Object that adds up what isolates count about themselves. */
import { DurableObject } from "cloudflare:workers";

export class Counters extends DurableObject<Env> {}
