/** Counts of both arms in intervals of time, for the page. Pure. */
import type { Arm } from "../contract.ts";
import { TICK_MS } from "./limits.ts";
import type { Counted } from "./sum.ts";

export interface PointCounts {
  /** ms since the epoch. */
  t: number;
  /** `requests`: all that are compared, so that errors ÷ requests is the rate that the verdict is about. */
  old: { requests: number; errors: number };
  new: { requests: number; errors: number };
}

const MINUTE_MS = 60_000;

/** Intervals below a minute are made of what arrived in them lately, longer ones of minutes in which it happened. */
export function pointsOf({ cells, ticks }: Pick<Counted, "cells" | "ticks">, bucketMs: number): PointCounts[] {
  const points = new Map<number, PointCounts>();
  const add = (at: number, arm: Arm, requests: number, errors: number) => {
    const t = at - (at % Math.max(bucketMs, TICK_MS));
    let point = points.get(t);
    if (point === undefined) {
      point = { t, old: { requests: 0, errors: 0 }, new: { requests: 0, errors: 0 } };
      points.set(t, point);
    }
    point[arm].requests += requests;
    point[arm].errors += errors;
  };
  if (bucketMs < MINUTE_MS) {
    for (const [t, tick] of ticks) for (const arm of ["old", "new"] as const) add(t, arm, tick[arm][0], tick[arm][1]);
  } else for (const { minute, arm, n, failed } of cells.values()) add(minute * 1000, arm, n, failed);
  return [...points.values()].sort((a, b) => a.t - b.t);
}
