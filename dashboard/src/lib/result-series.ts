/** The answer of `stats … by bin(…), x` → lines over time. Pure. */
import type { QueryAnswer } from "../../../workers/api/contract.ts";
import { bucketFor, bucketStarts } from "./buckets.ts";
import { isoToMs } from "./event-row.ts";
import { withUnit } from "./format.ts";
import type { PlotSeries } from "./plot-input.ts";
import { colourVar, nameOf, PALETTE_SIZE, shortId } from "./versions.ts";

export interface ResultSeries {
  x: number[];
  bucketMs: number;
  series: PlotSeries[];
  /** Groups beyond MAX_LINES that are not drawn. */
  hidden: number;
  format: (v: number) => string;
}

export interface Shape {
  /** Columns that are group keys, the bin among them. */
  groups: string[];
  aggregates: string[];
  /** Width of the bin in ms, when the query says it. */
  binMs: number | undefined;
  binColumn: string;
}

const MAX_LINES = 8;
const LEVEL_COLOURS: Record<string, string> = { error: "--bar-red", warn: "--bar-amber" };

export const isVersion = (column: string): boolean => column === "version" || column === "version_id";

function versionLabel(id: string): string {
  const tag = nameOf(id)?.tag;
  return tag ? `${tag} ${shortId(id)}` : shortId(id);
}

function colourOf(column: string, value: string, index: number): string {
  if (isVersion(column)) return colourVar(value);
  return (column === "level" ? LEVEL_COLOURS[value] : undefined) ?? `--v${(index * 3) % PALETTE_SIZE}`;
}

/** Sums are drawn as bars and an empty bucket is 0; a mean or a quantile of nothing is nothing. */
const adds = (aggregate: string) => /^(count|sum)\b/.test(aggregate);

export function toSeries(
  answer: QueryAnswer,
  shape: Shape,
  aggregate: string,
  range: { from: number; to: number },
): ResultSeries {
  const index = new Map(answer.columns.map((c, i) => [c.name, i]));
  const timeAt = index.get(shape.binColumn) as number;
  const valueAt = index.get(aggregate) as number;
  const keys = shape.groups.filter((g) => g !== shape.binColumn);
  const keyAt = keys.map((k) => index.get(k) as number);
  const bucketMs = shape.binMs ?? narrowest(answer, timeAt) ?? bucketFor(range.to - range.from).ms;
  const x = bucketStarts(range.from, range.to, bucketMs);
  const origin = x[0] ?? 0;
  const groups = new Map<string, { first: string; label: string; values: (number | null)[]; weight: number }>();
  for (const row of answer.rows) {
    const parts = keyAt.map((i) => (row[i] === null || row[i] === undefined ? "–" : String(row[i])));
    const key = parts.join("\u0000");
    let group = groups.get(key);
    if (group === undefined) {
      const label = parts.map((p, i) => (isVersion(keys[i] as string) ? versionLabel(p) : p)).join(" · ") || aggregate;
      group = { first: parts[0] ?? "", label, values: x.map(() => null), weight: 0 };
      groups.set(key, group);
    }
    const slot = Math.round((isoToMs(String(row[timeAt])) - origin) / bucketMs);
    const value = row[valueAt];
    if (slot < 0 || slot >= x.length || typeof value !== "number") continue;
    group.values[slot] = value;
    group.weight += value;
  }
  const sorted = [...groups.values()].sort((a, b) => b.weight - a.weight);
  const bars = adds(aggregate) && keys.length === 0;
  const series = sorted.slice(0, MAX_LINES).map(
    (g, i): PlotSeries => ({
      label: g.label,
      colour: keys.length === 0 ? (bars ? "--bar" : "--accent") : colourOf(keys[0] as string, g.first, i),
      kind: bars ? "bars" : "line",
      values: adds(aggregate) ? g.values.map((v) => v ?? 0) : g.values,
    }),
  );
  const unit = answer.columns[valueAt]?.unit;
  return { x, bucketMs, series, hidden: Math.max(0, sorted.length - MAX_LINES), format: (v) => withUnit(v, unit) };
}

/** Smallest distance between two buckets of the answer. */
function narrowest(answer: QueryAnswer, timeAt: number): number | undefined {
  const times = [...new Set(answer.rows.map((r) => Date.parse(String(r[timeAt]))))].sort((a, b) => a - b);
  let best: number | undefined;
  for (let i = 1; i < times.length; i++) {
    const step = (times[i] as number) - (times[i - 1] as number);
    if (step > 0 && (best === undefined || step < best)) best = step;
  }
  return best;
}
