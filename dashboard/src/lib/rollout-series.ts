/** What a rollout's charts draw: both versions over time, the interval closing in, and a mark at each step. Pure. */
import type { RolloutAnswer, RolloutEvent, RolloutPoint, VersionName } from "../../../workers/api/contract.ts";
import type { PlotBand, PlotMark, PlotSeries } from "./plot-input.ts";
import { share } from "./rollouts.ts";
import { versionName } from "./series.ts";
import { colourVar } from "./versions.ts";

type Versions = { old: VersionName; new: VersionName };

/** Less than this share of a bucket says nothing about a rate. */
const LEAST_SHARE = 0.25;

/**
 * Per second, so that buckets of any width compare: what was counted over the part
 * of the bucket in which was counted. The new version is drawn on top.
 */
export function trafficSeries(
  points: RolloutPoint[],
  { rollout, bucketMs, points: all }: RolloutAnswer,
  now: number,
): PlotSeries[] {
  // The first bucket of all began to be counted at the start, unless what came before it is there, too.
  const begin = (all[0]?.t ?? 0) + bucketMs > rollout.startedAt ? rollout.startedAt : 0;
  const end = rollout.endedAt === null ? now : (all.at(-1)?.t ?? now);
  const seconds = points.map((p) => (Math.min(p.t + bucketMs, end) - Math.max(p.t, begin)) / 1000);
  const line = (arm: "old" | "new"): PlotSeries => ({
    label: versionName(rollout[arm]),
    colour: colourVar(rollout[arm].id),
    kind: "line",
    values: points.map((p, i) => {
      const over = seconds[i] as number;
      return over * 1000 >= LEAST_SHARE * bucketMs ? p[arm].requests / over : null;
    }),
  });
  return [line("new"), line("old")];
}

/** Without requests there is no rate: the line breaks. */
const rateOf = (arm: { requests: number; errors: number }) => (arm.requests > 0 ? arm.errors / arm.requests : null);

export function errorSeries(points: RolloutPoint[], v: Versions): PlotSeries[] {
  const line = (arm: "old" | "new"): PlotSeries => ({
    label: versionName(v[arm]),
    colour: colourVar(v[arm].id),
    kind: "line",
    values: points.map((p) => rateOf(p[arm])),
  });
  return [line("new"), line("old")];
}

/** How much of the margin stays in sight however narrow the interval has become. */
const MARGIN_ROOM = 2.5;
/** The interval begins as wide as can be: the axis is made for what it is later, and the beginning runs out of the picture. */
const SETTLED_FROM = 0.5;
const ROOM = 1.25;

/** The look that ended a rollout may be after the last one that was kept of its bucket: what it saw is in the judgement. */
export function withLastLook(points: RolloutPoint[], { rollout, judgement, bucketMs }: RolloutAnswer): RolloutPoint[] {
  const { endedAt } = rollout;
  const last = judgement?.gates.find((g) => g.kind === "errors" && g.difference !== null)?.difference;
  if (endedAt === null || !last) return points;
  return points.map((p) => (p.t <= endedAt && endedAt < p.t + bucketMs ? { ...p, difference: last } : p));
}

export interface DifferenceChart {
  series: PlotSeries[];
  bands: PlotBand[];
  low: number;
  high: number;
}

export function differenceChart(points: RolloutPoint[], margin: number, v: Versions): DifferenceChart {
  const known = points.filter((p) => p.difference !== null);
  const settled = known.slice(Math.floor(known.length * SETTLED_FROM));
  const reach = (pick: (d: NonNullable<RolloutPoint["difference"]>) => number) =>
    Math.max(0, ...settled.map((p) => pick(p.difference as NonNullable<RolloutPoint["difference"]>)));
  const high = Math.min(1, Math.max(margin * MARGIN_ROOM, reach((d) => d.high) * ROOM));
  const low = Math.min(1, Math.max(margin * MARGIN_ROOM, reach((d) => -d.low) * ROOM));
  const colour = colourVar(v.new.id);
  const series: PlotSeries[] = [
    { label: "at most", colour, kind: "edge", values: points.map((p) => p.difference?.high ?? null) },
    { label: "estimate", colour, kind: "line", values: points.map((p) => p.difference?.estimate ?? null) },
    { label: "at least", colour, kind: "edge", values: points.map((p) => p.difference?.low ?? null) },
  ];
  return { series, bands: [{ high: 0, low: 2, colour }], low: -low, high };
}

/** Of a guard's own deployments: what the new version got. */
function deployed(e: RolloutEvent, id: string): number | undefined {
  if (e.kind !== "action" || e.request === undefined || e.answer?.ok === false) return undefined;
  return e.request.versions.find((one) => one.version === id)?.percent ?? 0;
}

/** Where the split changed: by what was done, or, for splits that somebody else makes, by what was seen. */
export function stepMarks({
  rollout,
  events,
  points,
}: Pick<RolloutAnswer, "rollout" | "events" | "points">): PlotMark[] {
  const { id } = rollout.new;
  const moves: { t: number; percent: number }[] = [];
  for (const e of events) {
    const to = deployed(e, id);
    if (to !== undefined) moves.push({ t: e.at, percent: to });
  }
  // The oldest events may have been left out, and then the points know.
  const first = moves[0]?.t ?? Number.POSITIVE_INFINITY;
  let before = 0;
  const seen: typeof moves = [];
  for (const p of points) {
    if (p.percent !== before && p.t < first && p.percent > 0)
      seen.push({ t: Math.max(p.t, rollout.startedAt), percent: p.percent });
    before = p.percent;
  }
  const all = moves.some((m) => m.percent > 0) && events[0]?.seq === 1 ? moves : [...seen, ...moves];
  const colour = colourVar(id);
  return all
    .filter((m, i) => m.percent !== all[i - 1]?.percent)
    .map((m) => ({
      t: m.t,
      label: m.percent === 0 ? "taken back" : share(m.percent),
      colour: m.percent === 0 ? "--bar-red" : colour,
    }));
}

/** Before the start and after the end, so that both are seen against what was around them. */
const AROUND_SHARE = 0.2;
const AROUND_BUCKETS = 3;
const LEAST_BUCKETS = 12;

export interface Frame {
  from: number;
  to: number;
  /** Those that lie in it. */
  points: RolloutPoint[];
}

/** The whole rollout, ended or up to now, and a little around it. */
export function timeFrame({ rollout, points, bucketMs }: RolloutAnswer, now: number): Frame {
  const { startedAt, endedAt } = rollout;
  const end = endedAt ?? Math.max(now, startedAt);
  const around = Math.max(AROUND_BUCKETS * bucketMs, (end - startedAt) * AROUND_SHARE);
  const first = Math.max(points[0]?.t ?? startedAt, startedAt - around);
  const from = Math.floor(Math.min(first, startedAt) / bucketMs) * bucketMs;
  const to = Math.ceil((endedAt === null ? end : end + around) / bucketMs) * bucketMs;
  return {
    from,
    to: Math.max(to, from + LEAST_BUCKETS * bucketMs),
    points: points.filter((p) => p.t >= from && p.t < to),
  };
}
