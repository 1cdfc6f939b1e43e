/**
 * Counts what this isolate does: stages call `count`, once per batch or request,
 * never per event. It is added up in memory and handed to the Counters object, by
 * the pace of `pace.ts`. Never throws, never makes its caller wait.
 *
 * A Durable Object that waits for something is billed for the time, so there
 * nothing waits: what may not go yet stays for the next count of the isolate, or
 * for `flushCounts`, which objects call from their own alarms and when they are
 * asked how they are. The stateless Worker pays for CPU alone: what it counts by
 * `countInRequest` is sent on when its time has come. What an isolate loses when it
 * dies is what it counted since its last flush: exact figures are the ledger's.
 */
import { waitUntil } from "cloudflare:workers";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { COUNTERS_NAME, type CountersRpc } from "./contract.ts";
import { COUNTERS, type CounterName, type CounterSpec, type Labels } from "./names.ts";
import { Pace } from "./pace.ts";
import { Tally } from "./tally.ts";

/** A Counters object that takes longer is taken to be away: who counted is not kept awake for it. */
const FLUSH_TIMEOUT_MS = 5_000;
/** One whose request was cut off never reports back: after this long another may begin. */
const TURN_TIMEOUT_MS = 30_000;
/** What is counted within so long of each other goes together, where waiting costs nothing. */
const GATHER_MS = 500;

type CountEnv = Pick<Env, "COUNTERS">;

const tally = new Tally();
const pace = new Pace();
/** One flush, and one wait for the next, at a time. */
const flushing = { until: 0 };
const waiting = { until: 0 };

/** From anywhere: a Durable Object, or what may run in one. */
export function count<N extends CounterName>(env: CountEnv, name: N, labels: Labels<N>, amount = 1): void {
  add(name, labels, amount);
  flushCounts(env);
}

/** From the stateless Worker alone: in a Durable Object it costs up to ten seconds awake. */
export function countInRequest<N extends CounterName>(env: CountEnv, name: N, labels: Labels<N>, amount = 1): void {
  add(name, labels, amount);
  begin(waiting, async () => {
    await scheduler.wait(Math.max(pace.waitMs(Date.now()), GATHER_MS));
    await flush(env);
  });
}

/** What was left behind goes now, if it may. */
export function flushCounts(env: CountEnv): void {
  if (!tally.isEmpty && pace.waitMs(Date.now()) === 0) begin(flushing, () => flush(env));
}

function add<N extends CounterName>(name: N, labels: Labels<N>, amount: number): void {
  if (!(amount > 0)) return;
  const { labels: keys }: CounterSpec = COUNTERS[name];
  const given: Readonly<Record<string, string>> = labels;
  tally.add(
    name,
    keys.map((key) => given[key] ?? ""),
    amount,
  );
}

function begin(turn: { until: number }, work: () => Promise<void>): void {
  const now = Date.now();
  if (now < turn.until) return;
  const until = now + TURN_TIMEOUT_MS;
  turn.until = until;
  const end = () => {
    if (turn.until === until) turn.until = 0;
  };
  try {
    waitUntil(work().finally(end));
  } catch {
    // Outside of a request there is nothing to hold on to: the next count tries again.
    end();
  }
}

/** Never rejects. */
async function flush(env: CountEnv): Promise<void> {
  // What is counted in the same breath goes along.
  await Promise.resolve();
  if (tally.isEmpty || !pace.take(Date.now())) return;
  const flushed = tally.take();
  try {
    const counters: Pick<CountersRpc, "add"> = env.COUNTERS.getByName(COUNTERS_NAME);
    await within(FLUSH_TIMEOUT_MS, "counters", counters.add(flushed));
    tally.confirm(flushed);
  } catch (error) {
    // It stays, and goes again under the number that it has.
    console.warn(`counters wait for the next flush: ${rootMessage(error)}`);
  }
}
