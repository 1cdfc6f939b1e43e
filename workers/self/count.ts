/**
 * Counts what this isolate does: stages call `count`, once per batch or request,
 * never per event. It is added up in memory and handed to the Counters object at
 * most every FLUSH_MS. Never throws, never makes its caller wait: a count that cannot be
 * delivered waits for the next flush, and what an isolate loses when it dies is
 * at most what it counted since the last one. Exact figures are the ledger's.
 */
import { waitUntil } from "cloudflare:workers";
import { rootMessage } from "../util/error-message.ts";
import { COUNTERS_NAME, type CountersRpc } from "./contract.ts";
import { COUNTERS, type CounterName, type CounterSpec, type Labels } from "./names.ts";
import { Tally } from "./tally.ts";

/** One call of the Counters object per isolate and this long: six requests a minute. */
const FLUSH_MS = 10_000;
/** One whose request was cut off never reports back: after this long the next count begins another. */
const TURN_TIMEOUT_MS = 30_000;

/** The first flush after a quiet time waits for what belongs to it. */
const GATHER_MS = 500;
/** Of one waitUntil, which has 30 s: what came while the first was on its way goes with the second. */
const FLUSHES_PER_TURN = 2;

type CountEnv = Pick<Env, "COUNTERS">;

const tally = new Tally();
let turn: { until: number } | undefined;
let lastFlushAt = 0;

export function count<N extends CounterName>(env: CountEnv, name: N, labels: Labels<N>, amount = 1): void {
  try {
    if (!(amount > 0)) return;
    const { labels: keys }: CounterSpec = COUNTERS[name];
    const given: Readonly<Record<string, string>> = labels;
    tally.add(
      name,
      keys.map((key) => given[key] ?? ""),
      amount,
    );
    const now = Date.now();
    if (turn !== undefined && now < turn.until) return;
    const mine = { until: now + TURN_TIMEOUT_MS };
    turn = mine;
    waitUntil(
      flushAll(env).finally(() => {
        if (turn === mine) turn = undefined;
      }),
    );
  } catch {
    // Outside of a request there is nothing to hold on to: the next count tries again.
    turn = undefined;
  }
}

/** Never rejects. */
async function flushAll(env: CountEnv): Promise<void> {
  for (let n = 0; n < FLUSHES_PER_TURN && !tally.isEmpty; n++) {
    await scheduler.wait(Math.max(lastFlushAt + FLUSH_MS - Date.now(), GATHER_MS));
    lastFlushAt = Date.now();
    const flush = tally.take();
    try {
      const counters: Pick<CountersRpc, "add"> = env.COUNTERS.getByName(COUNTERS_NAME);
      await counters.add(flush);
      tally.confirm(flush);
    } catch (error) {
      // It stays, and goes again under the number that it has.
      console.warn(`counters wait for the next flush: ${rootMessage(error)}`);
    }
  }
}
