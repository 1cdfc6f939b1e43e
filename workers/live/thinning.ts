/**
 * Which of the events that match are shown when they are more than the rate. A
 * token bucket says how many; errors go first and may take a second's worth in
 * advance; of each sort a fair sample stays, by the hash of the invocation, so
 * that invocations stay whole and every one has the same chance. What is left out
 * is counted by who calls (`render.ts`).
 */
import type { OpenEntry } from "./entry.ts";

const HASHES = 2 ** 32;

/** Events per second; a second's worth may be saved up, and owed. */
export class Bucket {
  private tokens: number;
  private at: number;
  /** The last time there was more than it had room for. */
  isShort = false;

  constructor(
    readonly rate: number,
    now: number,
    /** To begin with; more than a second's worth for what was missed. */
    tokens = rate,
  ) {
    this.tokens = tokens;
    this.at = now;
  }

  /** What may be shown of so many: shares of 0..1, and rows at most. */
  shares(errors: number, others: number, now: number): { errors: number; others: number; most: number } {
    const refill = (Math.max(now - this.at, 0) * this.rate) / 1_000;
    this.tokens = Math.max(Math.min(this.tokens + refill, this.rate), this.tokens);
    this.at = now;
    const forErrors = Math.max(this.tokens + this.rate, 0);
    const forOthers = Math.max(this.tokens - errors, 0);
    this.isShort = errors > forErrors || others > forOthers;
    return { errors: share(forErrors, errors), others: share(forOthers, others), most: Math.floor(forErrors) };
  }

  spend(events: number): void {
    this.tokens -= events;
  }
}

const share = (room: number, wanted: number) => (wanted <= room ? 1 : room / wanted);

export interface Candidates {
  entry: OpenEntry;
  /** 1: matches. */
  mask: Uint8Array;
  events: number;
  errors: number;
}

/** The masks of what is shown; the bucket has paid for it. */
export function thin(candidates: readonly Candidates[], bucket: Bucket, now: number): Uint8Array[] {
  let events = 0;
  let errors = 0;
  for (const c of candidates) {
    events += c.events;
    errors += c.errors;
  }
  const shares = bucket.shares(errors, events - errors, now);
  if (shares.errors === 1 && shares.others === 1) {
    bucket.spend(events);
    return candidates.map((c) => c.mask);
  }
  const shown = candidates.map((c) => new Uint8Array(c.mask.length));
  let left = shares.most;
  for (const wanted of [1, 0] as const) {
    const below = (wanted === 1 ? shares.errors : shares.others) * HASHES;
    for (let k = 0; k < candidates.length && left > 0 && below > 0; k++) {
      left -= pick(candidates[k] as Candidates, shown[k] as Uint8Array, wanted, below, left);
    }
  }
  bucket.spend(shares.most - left);
  return shown;
}

/** From the lowest hash on: costs what is picked, not what there is. */
function pick({ entry, mask }: Candidates, shown: Uint8Array, wanted: 0 | 1, below: number, most: number): number {
  const { rows, hashes } = entry.byHash(wanted);
  let picked = 0;
  for (let k = 0; k < rows.length && picked < most && (hashes[k] as number) < below; k++) {
    const row = rows[k] as number;
    if (mask[row] !== 1) continue;
    shown[row] = 1;
    picked++;
  }
  return picked;
}
