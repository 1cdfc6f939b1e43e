/**
 * The traffic generator: keeps a few dozen visits going and lets them take
 * their next steps at the pace of the moment. Never more than MAX_OPEN
 * requests at once: what the shop does not manage is left out, not queued up.
 * Slows down when the shop cannot be reached, and never throws.
 */
import { createClient, type StepOutcome } from "./client.ts";
import { requestsPerSecond } from "./pace.ts";
import { createRandom } from "./random.ts";
import { drawVisitorNumber, type Visitor, visitorAt } from "./visitors.ts";
import { planVisit, readReviews, type Step } from "./visits.ts";

const TICK_MS = 50;
const MAX_OPEN = 48;
const OPEN_VISITS = 24;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/** Seen within the first minute, and then as often as a dashboard's user has patience for. */
const FIRST_NIGHT_MS = 10_000;
const NIGHT_EVERY_MS = 5 * 60_000;
const REVIEWS_EVERY_MS = 3_000;

export interface TrafficOptions {
  shopUrl: string;
  /** Average requests per second. */
  rate: number;
  seed: number;
  /** Also asks for reviews now and then: of a Worker of its own, at a pace of its own. */
  reviews?: boolean;
  /** Runs the shop's crons. */
  fireCrons?: () => Promise<void>;
}

export interface Traffic {
  /** Lets go of everything; settles when no request is open. */
  stop(): Promise<void>;
  counts(): Record<StepOutcome, number>;
}

interface Visit {
  visitor: Visitor;
  sessionId: string;
  steps: Step[];
}

export function startTraffic({ shopUrl, rate, seed, reviews = false, fireCrons }: TrafficOptions): Traffic {
  const random = createRandom(seed);
  // With a draw of its own, the visits of a seed are the same with and without it.
  const readers = createRandom(seed);
  const client = createClient(shopUrl, MAX_OPEN);
  const counts: Record<StepOutcome, number> = { answered: 0, left: 0, unreachable: 0 };
  const open = new Set<Promise<void>>();
  const waiting: Visit[] = [];
  const startedAt = Date.now();
  let owed = 0;
  let lastTick = startedAt;
  let pauseMs = 0;
  let pausedUntil = 0;

  const begin = (): Visit => {
    const visitor = visitorAt(createRandom, seed, drawVisitorNumber(random));
    const sessionId = `s-${random.between(0, 2 ** 31).toString(36)}${random.between(0, 2 ** 31).toString(36)}`;
    return { visitor, sessionId, steps: planVisit(random, visitor) };
  };
  const advance = async (visit: Visit) => {
    const step = visit.steps.shift();
    if (step === undefined) return;
    const outcome = await client.run(step, visit.visitor, visit.sessionId);
    counts[outcome]++;
    pauseMs = outcome === "unreachable" ? Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS) : 0;
    if (pauseMs > 0) pausedUntil = Date.now() + pauseMs;
    if (visit.steps.length > 0) waiting.push(visit);
  };
  const tick = () => {
    const now = Date.now();
    owed += ((now - lastTick) / 1000) * requestsPerSecond(rate, now - startedAt);
    lastTick = now;
    while (owed >= 1) {
      owed--;
      if (now < pausedUntil || open.size >= MAX_OPEN) continue;
      while (waiting.length < OPEN_VISITS) waiting.push(begin());
      const [visit] = waiting.splice(random.between(0, waiting.length - 1), 1);
      if (visit === undefined) continue;
      const done: Promise<void> = advance(visit).finally(() => open.delete(done));
      open.add(done);
    }
  };
  const ticking = setInterval(tick, TICK_MS);
  const read = () => {
    const visitor = visitorAt(createRandom, seed, drawVisitorNumber(readers));
    const done: Promise<void> = advance({ visitor, sessionId: "s-reader", steps: [readReviews(readers)] });
    open.add(done);
    void done.finally(() => open.delete(done));
  };
  const reading = reviews ? setInterval(read, REVIEWS_EVERY_MS) : undefined;
  const night = () => void fireCrons?.().catch(() => {});
  const firstNight = setTimeout(night, FIRST_NIGHT_MS);
  const nights = setInterval(night, NIGHT_EVERY_MS);
  return {
    counts: () => ({ ...counts }),
    async stop() {
      clearInterval(ticking);
      clearInterval(reading);
      clearTimeout(firstNight);
      clearInterval(nights);
      client.close();
      await Promise.allSettled(open);
    },
  };
}
