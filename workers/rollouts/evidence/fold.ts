/** A day's minutes become hours, for the page, and what is older than anybody asks for goes. Pure. */
import { Sketch } from "../../event/sketch.ts";
import type { Cell, Settled } from "../contract.ts";
import { HOURS_KEPT_MS } from "./limits.ts";
import { type Counted, cellKey, hourOf, isFolded, type Step } from "./sum.ts";

/** What is still bet on stays in its minute. */
const isSettled = (settled: Settled | undefined, minute: number): boolean =>
  settled === undefined || minute < settled.until;

export function fold(before: Counted, changes: readonly number[], now: number): Step {
  const cells = new Map(before.cells);
  const changed = new Set<string>();
  for (const [key, cell] of before.cells) {
    const isOld = cell.minute * 1000 < now - HOURS_KEPT_MS;
    if (!isOld && !(isFolded(cell.minute, now) && isSettled(before.settled, cell.minute))) continue;
    const { part: _, ...rest } = cell;
    const moved: Cell = { ...rest, ...hourOf(cell, changes) };
    const hour = cellKey(moved);
    // An hour's cell has the hour's own minute as its name: the first minute of the hour, without parts, stays where it is.
    if (!isOld && hour === key) continue;
    cells.delete(key);
    changed.add(key);
    if (isOld) continue;
    const known = cells.get(hour);
    cells.set(hour, known === undefined ? moved : sum(known, moved));
    changed.add(hour);
  }
  return { counted: { ...before, cells }, changed };
}

function sum(a: Cell, b: Cell): Cell {
  return {
    ...a,
    n: a.n + b.n,
    failed: a.failed + b.failed,
    left: a.left + b.left,
    collateral: a.collateral + b.collateral,
    duration: merged(a.duration, b.duration),
    cpu: merged(a.cpu, b.cpu),
  };
}

function merged(a: Cell["duration"], b: Cell["duration"]): Cell["duration"] {
  const sketch = Sketch.decode(a);
  sketch.merge(Sketch.decode(b));
  return sketch.encode();
}
