/** Rollup series → what the charts draw. Pure. */
import type { SeriesPoint, VersionSummary } from "../../../workers/api/contract.ts";
import type { PlotMark, PlotSeries } from "./plot-input.ts";
import { colourVar, shortId } from "./versions.ts";

export const timesOf = (points: SeriesPoint[]) => points.map((p) => p.t);

/** Empty minutes have no rate and no quantile: the line breaks. */
const whenBusy = (p: SeriesPoint, value: number | null) => (p.requests > 0 ? value : null);

export function requestBars(points: SeriesPoint[]): PlotSeries[] {
  return [
    { label: "Failed", colour: "--bar-red", kind: "bars", values: points.map((p) => p.errors) },
    {
      label: "Succeeded",
      colour: "--bar",
      kind: "bars",
      values: points.map((p) => Math.max(0, p.requests - p.errors)),
    },
  ];
}

export function line(
  points: SeriesPoint[],
  label: string,
  colour: string,
  pick: (p: SeriesPoint) => number | null,
): PlotSeries {
  return { label, colour, kind: "line", values: points.map((p) => whenBusy(p, pick(p))) };
}

export const versionName = (v: { id: string; tag: string }) =>
  v.id === "" ? "no version" : v.tag === "" ? shortId(v.id) : `${v.tag} ${shortId(v.id)}`;

export function versionLines(versions: VersionSummary[], pick: (p: SeriesPoint) => number | null): PlotSeries[] {
  return versions.map((v) => line(v.series, versionName(v), colourVar(v.id), pick));
}

/** A version that was first seen right at the start of the range was probably there before. */
const SETTLED_BUCKETS = 2;

/** Where a Worker's versions took over from one that was there before. */
export function firstSeenMarks(versions: VersionSummary[], from: number, bucketMs: number): PlotMark[] {
  const first = Math.min(...versions.map((v) => v.firstSeen));
  const after = Math.max(first, from + SETTLED_BUCKETS * bucketMs);
  return versions
    .filter((v) => v.id !== "" && v.firstSeen > after)
    .map((v) => ({ t: v.firstSeen, label: v.tag || shortId(v.id), colour: colourVar(v.id) }));
}

/** Requests per second: comparable between ranges, unlike counts per bucket. */
export const perSecond = (bucketMs: number) => (p: SeriesPoint) => p.requests / (bucketMs / 1000);
