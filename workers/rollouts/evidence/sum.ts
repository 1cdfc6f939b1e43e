/** Adds log entries to what is known of a rollout: a pure step, so that all of it is written at once or not at all. */

import { clientLeft } from "../../event/failure.ts";
import type { RollupDelta } from "../../event/rollup.ts";
import { Sketch } from "../../event/sketch.ts";
import type { Arm, Cell, Settled } from "../contract.ts";
import { classOf, newObjects } from "./classes.ts";
import { DeathBook, type Deaths } from "./deaths.ts";
import { AHEAD_MS, BEFORE_MS, MINUTES_KEPT_MS, TICK_MS, TICKS_KEPT_MS } from "./limits.ts";

export interface Subject {
  id: string;
  script: string;
  /** Ids of versions. */
  old: string;
  new: string;
  /** When the rollout began, ms. */
  since: number;
  /** When the split changed since then, ms, ascending. */
  changes: readonly number[];
}

/** Requests and failures of both arms that arrived within TICK_MS. */
export interface Tick {
  old: [requests: number, errors: number];
  new: [requests: number, errors: number];
}

/** Invocations that are in no cell, by why. */
export interface LeftOut {
  /** Of versions that are neither. */
  otherVersion: number;
  /** Of no version. */
  noVersion: number;
  /** Of minutes long before the rollout, or of the new version from before it. */
  tooEarly: number;
  /** Of minutes ahead of the clock. */
  tooLate: number;
  /** Log entries that could not be read. */
  unreadable: number;
  /** Log entries that were sealed before we came. */
  gap: number;
}

/** All that is counted. Values are never changed in place. */
export interface Counted {
  cells: ReadonlyMap<string, Cell>;
  ticks: ReadonlyMap<number, Tick>;
  deaths: Deaths;
  objects: ReadonlySet<string>;
  leftOut: LeftOut;
  newest: Record<Arm, number | null>;
  /** Absent: nothing is settled yet. */
  settled?: Settled;
}

export interface Entry {
  /** When it arrived, ms. */
  at: number;
  rollups: string;
}

export interface Step {
  counted: Counted;
  /** Keys of cells that are other than before. */
  changed: ReadonlySet<string>;
}

export const NOTHING_LEFT_OUT: LeftOut = {
  ...{ otherVersion: 0, noVersion: 0, tooEarly: 0, tooLate: 0, unreadable: 0, gap: 0 },
};

export type CellPlace = Pick<Cell, "minute" | "arm" | "class" | "part">;

export const cellKey = ({ minute, arm, class: kind, part }: CellPlace) => `${minute} ${arm} ${kind} ${part ?? 0}`;

/** Which part of a minute (Cell.part) something is in that arrived then: changes of the split within the minute, before that. */
export function partOf(minute: number, at: number, changes: readonly number[]): { part?: number } {
  const from = minute * 1000;
  const part = changes.filter((c) => c >= from && c < from + 60_000 && c <= at).length;
  return part === 0 ? {} : { part };
}

/** Where a minute's counts lie: with its own, or by now with its hour's, which has as many parts as there were splits. */
export function placeOf(
  minute: number,
  at: number,
  changes: readonly number[],
  now: number,
): Pick<Cell, "minute" | "part"> {
  const own = partOf(minute, at, changes);
  return isFolded(minute, now) ? hourOf({ minute, ...own }, changes) : { minute, ...own };
}

export function hourOf({ minute, part = 0 }: Pick<Cell, "minute" | "part">, changes: readonly number[]) {
  const hour = minute - (minute % 3600);
  const earlier = changes.filter((c) => c >= hour * 1000 && c < minute * 1000).length;
  return { minute: hour, ...(earlier + part === 0 ? {} : { part: earlier + part }) };
}

/** Whole hours at once. */
export function isFolded(minute: number, now: number): boolean {
  return (minute - (minute % 3600) + 3600) * 1000 <= now - MINUTES_KEPT_MS;
}

export function add(before: Counted, entries: readonly Entry[], subject: Subject, now: number): Step {
  const sum = new Sum(before, subject, now);
  for (const entry of entries) sum.add(entry);
  return sum.step();
}

interface Open extends Omit<Cell, "duration" | "cpu"> {
  duration: Sketch;
  cpu: Sketch;
}

class Sum {
  private readonly open = new Map<string, Open>();
  private readonly ticks: Map<number, Tick>;
  private readonly deaths: DeathBook;
  private readonly leftOut: LeftOut;
  private readonly newest: Record<Arm, number | null>;
  private objects: ReadonlySet<string>;

  constructor(
    private readonly before: Counted,
    private readonly subject: Subject,
    private readonly now: number,
  ) {
    this.ticks = new Map([...before.ticks].filter(([t]) => t > now - TICKS_KEPT_MS));
    this.deaths = new DeathBook(before.deaths);
    this.leftOut = { ...before.leftOut };
    this.newest = { ...before.newest };
    this.objects = before.objects;
  }

  add({ at, rollups }: Entry): void {
    const deltas = parse(rollups);
    if (deltas === undefined) {
      this.leftOut.unreadable += 1;
      return;
    }
    const found = newObjects(deltas, this.objects);
    if (found.length > 0) this.objects = new Set([...this.objects, ...found]);
    for (const delta of deltas) {
      const arm = this.armOf(delta, at);
      if (arm !== undefined) this.count(delta, arm, at);
    }
  }

  private armOf(delta: RollupDelta, at: number): Arm | undefined {
    const { subject, leftOut, now } = this;
    const { version_id: version, requests } = delta;
    const arm = version === subject.new ? "new" : version === subject.old ? "old" : undefined;
    // Of the old version some minutes from before are known; the new one may have run before, as it was then.
    const from = arm === "new" ? subject.since : subject.since - BEFORE_MS;
    const early = (delta.minute + 60) * 1000 <= from || (arm === "new" && at < from);
    if (arm === undefined) leftOut[version === "" ? "noVersion" : "otherVersion"] += requests;
    else if (early) leftOut.tooEarly += requests;
    else if (delta.minute * 1000 > now + AHEAD_MS) leftOut.tooLate += requests;
    else return arm;
    return undefined;
  }

  private count(delta: RollupDelta, arm: Arm, at: number): void {
    const kind = classOf(delta, this.objects);
    const cell = this.cell({ ...placeOf(delta.minute, at, this.subject.changes, this.now), arm, class: kind });
    const deaths = this.deaths.count(`${arm}\0${kind}`, delta.deaths ?? []);
    const left = leftOf(delta.outcomes);
    const n = Math.max(delta.requests - left - deaths.collateral, 0);
    const failed = Math.min(Math.max(delta.errors - deaths.collateral, 0), n);
    cell.n += n;
    cell.failed += failed;
    cell.left += left;
    cell.collateral += deaths.collateral;
    cell.duration.merge(Sketch.decode(delta.duration));
    cell.cpu.merge(Sketch.decode(delta.cpu));
    this.newest[arm] = Math.max(this.newest[arm] ?? 0, at);
    this.tick(at, arm, n, failed);
  }

  private cell(place: CellPlace): Open {
    const key = cellKey(place);
    let cell = this.open.get(key);
    if (cell === undefined) {
      const known = this.before.cells.get(key) ?? emptyCell(place);
      cell = { ...known, duration: Sketch.decode(known.duration), cpu: Sketch.decode(known.cpu) };
      this.open.set(key, cell);
    }
    return cell;
  }

  private tick(at: number, arm: Arm, n: number, failed: number): void {
    const t = at - (at % TICK_MS);
    if (t <= this.now - TICKS_KEPT_MS) return;
    const { [arm]: was, ...other } = this.ticks.get(t) ?? NO_TICK;
    this.ticks.set(t, { ...other, [arm]: [was[0] + n, was[1] + failed] } as Tick);
  }

  step(): Step {
    const cells = new Map(this.before.cells);
    for (const [key, { duration, cpu, ...cell }] of this.open) {
      cells.set(key, { ...cell, duration: duration.encode(), cpu: cpu.encode() });
    }
    const { ticks, leftOut, newest, objects } = this;
    const deaths = this.deaths.changed ? this.deaths.kept(this.now) : this.before.deaths;
    const counted = { ...this.before, cells, ticks, deaths, objects, leftOut, newest };
    return { counted, changed: new Set(this.open.keys()) };
  }
}

const NO_TICK: Tick = { old: [0, 0], new: [0, 0] };

function emptyCell(place: CellPlace): Cell {
  return { ...place, n: 0, failed: 0, left: 0, collateral: 0, duration: [], cpu: [] };
}

function leftOf(outcomes: RollupDelta["outcomes"]): number {
  let left = 0;
  for (const [outcome, weight] of Object.entries(outcomes)) if (clientLeft(outcome)) left += weight;
  return left;
}

function parse(rollups: string): RollupDelta[] | undefined {
  try {
    const deltas: unknown = JSON.parse(rollups);
    return Array.isArray(deltas) ? (deltas as RollupDelta[]) : undefined;
  } catch {
    return undefined;
  }
}
