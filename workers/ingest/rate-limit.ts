/**
 * The rate limit per observed Worker. Two gates, and an item must pass both
 * that apply:
 *   the platform's   the ratelimit binding, for tail() only: a runaway Worker
 *   the Worker's own `ratePerMinute`, for every way in: a token bucket here
 * Senders over HTTP wait for an answer, so they are slowed down by that, and a
 * load of millions is not thrown away by a limit meant for runaways.
 *
 * Errors, and what else must be kept (sampling.ts), have a second allowance,
 * twice as large, when the first is used up. What passes neither is dropped and counted by the caller.
 */

/** A call of the binding costs more than handling an item: one buys this many. */
export const ITEMS_PER_UNIT = 100;
/** Errors over the limit get twice the limit. */
export const ERROR_FACTOR = 2;
/** Items that an isolate lets through before the answers to its calls are there: a burst is not a runaway yet. */
const MAX_DEBT = 10_000;
/** After a refusal the binding is not asked again for this long. */
const BLOCK_MS = 1_000;
/** A call that was cut off with its request is not waited for any longer. */
const PENDING_MS = 2_000;
/** Workers remembered; idle ones start with a full bucket again, which is what they would have. */
const MAX_WORKERS = 2_000;
const MINUTE_MS = 60_000;

export interface LimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** One allowance, kept by the binding, bought in units and used up here. */
class Allowance {
  private credit = 0;
  private blockedUntil = 0;
  private pendingSince = Number.NEGATIVE_INFINITY;
  private readonly key: string;
  private readonly itemsPerUnit: number;

  constructor(key: string, itemsPerUnit: number) {
    this.key = key;
    this.itemsPerUnit = itemsPerUnit;
  }

  take(nowMs: number, binding: LimitBinding, waitUntil: (work: Promise<unknown>) => void): boolean {
    if (nowMs < this.blockedUntil || this.credit <= -MAX_DEBT) return false;
    this.credit--;
    if (this.credit < 0 && nowMs - this.pendingSince > PENDING_MS) {
      this.pendingSince = nowMs;
      waitUntil(this.buy(nowMs, binding));
    }
    return true;
  }

  private async buy(nowMs: number, binding: LimitBinding): Promise<void> {
    while (this.credit < 0) {
      // A limiter that is out of order must not cost telemetry.
      const { success } = await binding.limit({ key: this.key }).catch(() => ({ success: true }));
      if (success) this.credit += this.itemsPerUnit;
      else {
        this.credit = 0;
        this.blockedUntil = nowMs + BLOCK_MS;
      }
    }
    this.pendingSince = Number.NEGATIVE_INFINITY;
  }
}

/** Refills by the minute; holds one minute's worth. Time is handed in. */
export class TokenBucket {
  private tokens: number;
  private atMs: number;
  readonly perMinute: number;

  constructor(perMinute: number, nowMs: number) {
    this.perMinute = perMinute;
    this.tokens = perMinute;
    this.atMs = nowMs;
  }

  take(nowMs: number): boolean {
    if (nowMs > this.atMs) {
      this.tokens = Math.min(this.perMinute, this.tokens + ((nowMs - this.atMs) * this.perMinute) / MINUTE_MS);
      this.atMs = nowMs;
    }
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}

interface WorkerLimits {
  items: Allowance;
  errors: Allowance;
  own: TokenBucket | undefined;
  ownErrors: TokenBucket | undefined;
}

export interface Gate {
  nowMs: number;
  /** Undefined where the platform's limit does not apply. */
  binding: LimitBinding | undefined;
  waitUntil(work: Promise<unknown>): void;
}

export class RateLimiter {
  private readonly workers = new Map<string, WorkerLimits>();

  /** True if there is room for one item of this Worker. `important` is asked only when the normal allowance is used up. */
  allows(script: string, ratePerMinute: number | undefined, important: () => boolean, gate: Gate): boolean {
    if (ratePerMinute === undefined && gate.binding === undefined) return true;
    const limits = this.of(script);
    const { nowMs } = gate;
    if (ratePerMinute !== undefined) {
      if (limits.own?.perMinute !== ratePerMinute) {
        limits.own = new TokenBucket(ratePerMinute, nowMs);
        limits.ownErrors = new TokenBucket(ratePerMinute * ERROR_FACTOR, nowMs);
      }
      if (!limits.own.take(nowMs) && !(important() && limits.ownErrors?.take(nowMs))) return false;
    }
    const { binding } = gate;
    if (binding === undefined) return true;
    const waitUntil = (work: Promise<unknown>) => gate.waitUntil(work);
    return (
      limits.items.take(nowMs, binding, waitUntil) || (important() && limits.errors.take(nowMs, binding, waitUntil))
    );
  }

  private of(script: string): WorkerLimits {
    let limits = this.workers.get(script);
    if (limits === undefined) {
      if (this.workers.size >= MAX_WORKERS) this.workers.clear();
      limits = {
        items: new Allowance(script, ITEMS_PER_UNIT),
        errors: new Allowance(`${script}\nerrors`, ITEMS_PER_UNIT * ERROR_FACTOR),
        own: undefined,
        ownErrors: undefined,
      };
      this.workers.set(script, limits);
    }
    return limits;
  }
}
