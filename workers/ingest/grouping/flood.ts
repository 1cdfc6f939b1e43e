/**
 * A bound on how many different fingerprints a Worker may have at a time: each
 * is a handful of rows in D1. A Worker that makes new ones without end (an id in
 * the name of every error, a random frame) fills its place; then those that are
 * known go on as ever, and new ones share one issue until the next minute.
 */

/** New fingerprints of one Worker, isolate and minute. A bad deployment brings some dozen. */
export const MAX_FINGERPRINTS_PER_MINUTE = 300;
const MINUTE_MS = 60_000;
/** All Workers together: some 100 bytes each. */
const MAX_REMEMBERED = 30_000;

interface Seen {
  minute: number;
  now: Set<string>;
  before: Set<string>;
  /** What those of this minute have as their group: too many of one group may still join it. */
  groups: Set<string>;
}

export class FloodGate {
  private readonly scripts = new Map<string, Seen>();
  private remembered = 0;

  /** Has this Worker still a place for this fingerprint? Its group has one then, too. */
  admits(script: string, fingerprint: string, group: string, nowMs: number): boolean {
    const seen = this.of(script, Math.floor(nowMs / MINUTE_MS));
    if (seen.now.has(fingerprint)) return true;
    if (!seen.before.has(fingerprint) && seen.now.size >= MAX_FINGERPRINTS_PER_MINUTE) return false;
    seen.now.add(fingerprint);
    this.remembered++;
    if (group !== fingerprint && !seen.groups.has(group)) {
      seen.groups.add(group);
      this.remembered++;
    }
    return true;
  }

  admitsGroup(script: string, group: string, nowMs: number): boolean {
    return this.of(script, Math.floor(nowMs / MINUTE_MS)).groups.has(group) || this.admits(script, group, group, nowMs);
  }

  private of(script: string, minute: number): Seen {
    if (this.remembered >= MAX_REMEMBERED) {
      this.scripts.clear();
      this.remembered = 0;
    }
    let seen = this.scripts.get(script);
    if (seen === undefined) {
      seen = { minute, now: new Set(), before: new Set(), groups: new Set() };
      this.scripts.set(script, seen);
    } else if (seen.minute !== minute) {
      this.remembered -= seen.before.size + seen.groups.size;
      seen.groups = new Set();
      seen.before = seen.minute === minute - 1 ? seen.now : new Set();
      if (seen.minute !== minute - 1) this.remembered -= seen.now.size;
      seen.now = new Set();
      seen.minute = minute;
    }
    return seen;
  }
}
