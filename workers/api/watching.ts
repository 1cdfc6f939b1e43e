/**
 * What Tailrace knows of itself, gathered for `/metrics` and the status page. A part
 * that does not answer is left out: the others are told all the more then. Kept for
 * some seconds, since anybody may ask for `/metrics`.
 */
import { version } from "../../package.json";
import { SEAL_AGE_MS } from "../buffer/limits.ts";
import { type Consumer, consumersOf } from "../self/consumers.ts";
import { COUNTERS_NAME, type CountersRpc, type CountersSnapshot } from "../self/contract.ts";
import { readFacts } from "../self/facts.ts";
import { type Gauges, gaugesOf, viewersOf } from "../self/gauges.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { keeping } from "./kept.ts";

const ASK_TIMEOUT_MS = 5_000;

export interface Watched {
  counters: CountersSnapshot | undefined;
  gauges: Gauges;
  consumers: Consumer[];
  at: number;
}

export const watch: (now: number, env: Env) => Promise<Watched> = keeping(
  { keepMs: 2_000, keepWhileMakingMs: 10_000, makeMs: ASK_TIMEOUT_MS * 2 },
  gather,
);

async function gather(env: Env): Promise<Watched> {
  const counters = env.COUNTERS.getByName(COUNTERS_NAME) as unknown as CountersRpc;
  const [snapshot, facts] = await Promise.all([
    answered("counters", counters.snapshot()),
    answered("facts", readFacts(env)),
  ]);
  const now = Date.now();
  const consumers = facts === undefined ? [] : consumersOf(facts, { sealAgeMs: SEAL_AGE_MS }, now);
  const gauges: Gauges = facts === undefined ? {} : gaugesOf(facts, consumers, version, now);
  if (snapshot !== undefined) gauges.tailrace_live_viewers = viewersOf(snapshot);
  return { counters: snapshot, gauges, consumers, at: now };
}

async function answered<T>(what: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await within(ASK_TIMEOUT_MS, what, work);
  } catch (error) {
    console.warn(`watching ourselves: ${rootMessage(error)}`);
    return undefined;
  }
}
