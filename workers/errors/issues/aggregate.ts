/**
 * Adds up the issue deltas of several log entries, so that D1 gets one row for
 * what happened a thousand times. Handed in by the Ingester's flush
 * (buffer/issue-flush.ts); the sums go to `apply.ts`. Pure.
 */
import type { Exemplar, IssueDelta } from "../delta.ts";
import { DIMENSIONS, type Dimension } from "./distinct.ts";
import { type Incident, joinVictims } from "./incidents.ts";
import { MAX_STACK_CHARS } from "./limits.ts";

export interface VersionName {
  id: string;
  tag: string;
  message: string;
}

/** What all occurrences of one fingerprint have in common. Times are ms. */
export interface FingerprintSum extends Span {
  fingerprint: string;
  group: string;
  aliases: string[];
  algorithm: number;
  kind: string;
  noise: string;
  type: string;
  title: string;
  culprit: string;
  awaitsMap: string;
  script: string;
  count: number;
  firstVersion: VersionName;
  lastVersion: VersionName;
}

interface Span {
  first: number;
  last: number;
}

export interface VersionSum extends Span {
  fingerprint: string;
  script: string;
  version: VersionName;
  count: number;
  exemplar: Exemplar;
}

export interface MinuteSum {
  fingerprint: string;
  /** Seconds since the epoch. */
  minute: number;
  versionId: string;
  count: number;
}

export interface DistinctSum {
  fingerprint: string;
  hashes: Record<Dimension, Set<number>>;
}

export interface Sums {
  fingerprints: FingerprintSum[];
  versions: VersionSum[];
  minutes: MinuteSum[];
  distinct: DistinctSum[];
  incidents: Incident[];
  /** Ids of replayable occurrences that these sums count: never again. */
  counted: string[];
}

/** `isCounted` knows replayable occurrences that reached D1 before. */
export function aggregate(deltas: Iterable<IssueDelta>, isCounted: (id: string) => boolean): Sums {
  const sums = new Aggregation();
  const counted = new Set<string>();
  for (const delta of deltas) {
    const fresh = withoutCounted(delta, (id) => counted.has(id) || isCounted(id));
    for (const id of replayIds(delta)) counted.add(id);
    if (fresh !== undefined) sums.add(fresh);
  }
  return sums.build([...counted]);
}

export function replayIds(delta: IssueDelta): string[] {
  const { replayable = [] } = delta;
  const ids: string[] = [];
  for (let i = 0; i + 2 < replayable.length; i += 3) ids.push(String(replayable[i]));
  return ids;
}

/** Less than any weight: what is left of a sum after all its parts were taken away again. */
const NOTHING = 1e-6;

/** The delta without the occurrences that are counted already; undefined when none are left. */
function withoutCounted(delta: IssueDelta, isCounted: (id: string) => boolean): IssueDelta | undefined {
  const { replayable, victims } = delta;
  if (replayable === undefined) return delta;
  let { count } = delta;
  // One pair per occurrence, in the same order, unless there were too many to list.
  const paired = victims !== undefined && victims.length / 2 === replayable.length / 3;
  const fresh: (string | number)[] = [];
  const minutes = minuteMap(delta.minutes);
  const inThis = new Set<string>();
  for (let i = 0; i + 2 < replayable.length; i += 3) {
    const id = String(replayable[i]);
    const known = isCounted(id) || inThis.has(id);
    inThis.add(id);
    if (!known) {
      if (paired) fresh.push(...victims.slice((i / 3) * 2, (i / 3) * 2 + 2));
      continue;
    }
    const weight = Number(replayable[i + 1]);
    const minute = Number(replayable[i + 2]);
    count -= weight;
    minutes.set(minute, (minutes.get(minute) ?? 0) - weight);
  }
  if (count < NOTHING) return undefined;
  const left = { ...delta, count, minutes: [...minutes].filter(([, n]) => n > NOTHING).flat() };
  return paired ? { ...left, victims: fresh } : left;
}

function minuteMap(minutes: readonly number[]): Map<number, number> {
  const map = new Map<number, number>();
  for (let i = 0; i + 1 < minutes.length; i += 2) {
    const minute = minutes[i] as number;
    map.set(minute, (map.get(minute) ?? 0) + (minutes[i + 1] as number));
  }
  return map;
}

class Aggregation {
  private readonly fingerprints = new Map<string, FingerprintSum>();
  private readonly versions = new Map<string, VersionSum>();
  private readonly minutes = new Map<string, MinuteSum>();
  private readonly distinct = new Map<string, DistinctSum>();
  private readonly victims = new Map<string, { fingerprint: string; versionId: string; list: (string | number)[] }>();

  add(delta: IssueDelta): void {
    const { fingerprint, versionId } = delta;
    const version = { id: versionId, tag: delta.versionTag, message: delta.versionMessage };
    this.addFingerprint(delta, version);
    const key = `${fingerprint}\0${versionId}`;
    this.addVersion(key, delta, version);
    for (const [minute, count] of minuteMap(delta.minutes)) this.addMinute(`${key}\0${minute}`, delta, minute, count);
    this.addDistinct(delta);
    if (delta.victims === undefined) return;
    const victims = this.victims.get(key);
    if (victims === undefined) this.victims.set(key, { fingerprint, versionId, list: [...delta.victims] });
    else for (const part of delta.victims) victims.list.push(part);
  }

  build(counted: string[]): Sums {
    return {
      fingerprints: [...this.fingerprints.values()],
      versions: [...this.versions.values()],
      minutes: [...this.minutes.values()],
      distinct: [...this.distinct.values()],
      incidents: [...this.victims.values()].flatMap((v) => joinVictims(v.fingerprint, v.versionId, v.list)),
      counted,
    };
  }

  private addFingerprint(delta: IssueDelta, version: VersionName): void {
    const { fingerprint, group, aliases, algorithm, kind, noise, type, title, culprit, awaitsMap, script } = delta;
    const { count, firstSeen: first, lastSeen: last } = delta;
    const sum = this.fingerprints.get(fingerprint);
    if (sum === undefined) {
      const keys = { fingerprint, group, aliases, algorithm, script };
      const texts = { kind, noise, type, title, culprit, awaitsMap };
      this.fingerprints.set(fingerprint, {
        ...keys,
        ...texts,
        count,
        first,
        last,
        firstVersion: version,
        lastVersion: version,
      });
      return;
    }
    sum.count += count;
    if (first < sum.first) {
      sum.first = first;
      sum.firstVersion = version;
    }
    if (last < sum.last) return;
    sum.last = last;
    sum.lastVersion = version;
  }

  private addVersion(key: string, delta: IssueDelta, version: VersionName): void {
    const { fingerprint, script, count, firstSeen: first, lastSeen: last } = delta;
    const exemplar = boundedExemplar(delta.exemplar);
    const sum = this.versions.get(key);
    if (sum === undefined) {
      this.versions.set(key, { fingerprint, script, version: { ...version }, count, first, last, exemplar });
      return;
    }
    sum.count += count;
    sum.first = Math.min(sum.first, first);
    sum.last = Math.max(sum.last, last);
    sum.version.tag ||= version.tag;
    sum.version.message ||= version.message;
    if (isBetter(exemplar, sum.exemplar)) sum.exemplar = exemplar;
  }

  private addMinute(key: string, { fingerprint, versionId }: IssueDelta, minute: number, count: number): void {
    const sum = this.minutes.get(key);
    if (sum === undefined) this.minutes.set(key, { fingerprint, minute, versionId, count });
    else sum.count += count;
  }

  private addDistinct({ fingerprint, distinct }: IssueDelta): void {
    let sum = this.distinct.get(fingerprint);
    if (sum === undefined) {
      sum = { fingerprint, hashes: { users: new Set(), routes: new Set(), colos: new Set(), countries: new Set() } };
      this.distinct.set(fingerprint, sum);
    }
    for (const dimension of DIMENSIONS) for (const hash of distinct[dimension]) sum.hashes[dimension].add(hash);
  }
}

/** The newest that has a stack; without any stack, the newest. `apply.ts` says the same in SQL. */
function isBetter(a: Exemplar, b: Exemplar): boolean {
  const hasStack = a.stack !== undefined;
  if (hasStack !== (b.stack !== undefined)) return hasStack;
  return a.time >= b.time;
}

function boundedExemplar(exemplar: Exemplar): Exemplar {
  const { stack } = exemplar;
  if (stack === undefined || stack.length <= MAX_STACK_CHARS) return exemplar;
  return { ...exemplar, stack: stack.slice(0, MAX_STACK_CHARS) };
}
