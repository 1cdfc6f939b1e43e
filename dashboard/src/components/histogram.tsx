/** Events over time above the list: failures at the foot, in red. A drag zooms. */
import { useMemo } from "preact/hooks";
import type { QueryAnswer } from "../../../workers/api/contract.ts";
import { bucketStarts } from "../lib/buckets.ts";
import { isoToMs } from "../lib/event-row.ts";
import { count, countTick } from "../lib/format.ts";
import { Chart } from "./chart.tsx";

const HEIGHT_PX = 104;

interface Props {
  answer: QueryAnswer | undefined;
  from: number;
  to: number;
  bucketMs: number;
  onLevel: (level: string) => void;
}

export interface LevelCounts {
  error: number[];
  warn: number[];
  rest: number[];
  total: number;
}

/** The answer of `stats count() by bin(…), level`, one slot per bucket. */
export function countLevels(answer: QueryAnswer | undefined, starts: number[], bucketMs: number): LevelCounts {
  const counts: LevelCounts = {
    error: starts.map(() => 0),
    warn: starts.map(() => 0),
    rest: starts.map(() => 0),
    total: 0,
  };
  if (answer === undefined || starts.length === 0) return counts;
  const column = (name: string) => answer.columns.findIndex((c) => c.name === name);
  const [time, level, n] = [column("time"), column("level"), column("count")];
  for (const row of answer.rows) {
    const slot = Math.round((isoToMs(String(row[time])) - (starts[0] as number)) / bucketMs);
    const value = Number(row[n] ?? 0);
    counts.total += value;
    const of = row[level] === "error" ? counts.error : row[level] === "warn" ? counts.warn : counts.rest;
    if (slot >= 0 && slot < of.length) of[slot] = (of[slot] as number) + value;
  }
  return counts;
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

export function Histogram({ answer, from, to, bucketMs, onLevel }: Props) {
  const { x, series, totals } = useMemo(() => {
    const starts = bucketStarts(from, to, bucketMs);
    const levels = countLevels(answer, starts, bucketMs);
    return {
      x: starts,
      totals: { error: sum(levels.error), warn: sum(levels.warn) },
      series: [
        { label: "Errors", colour: "--bar-red", kind: "bars" as const, values: levels.error },
        { label: "Warnings", colour: "--bar-amber", kind: "bars" as const, values: levels.warn },
        { label: "Others", colour: "--bar", kind: "bars" as const, values: levels.rest },
      ],
    };
  }, [answer, from, to, bucketMs]);
  return (
    <Chart
      title="Events"
      unitLabel="per bar · drag to zoom"
      height={HEIGHT_PX}
      x={x}
      bucketMs={bucketMs}
      from={from}
      to={to}
      series={series}
      format={count}
      formatTick={countTick}
      legend={
        <>
          {totals.error > 0 && (
            <button type="button" class="legend small muted" onClick={() => onLevel("error")}>
              <span class="swatch" style={{ "--dot": "var(--bar-red)" }} />
              {count(totals.error)} errors
            </button>
          )}
          {totals.warn > 0 && (
            <button type="button" class="legend small muted" onClick={() => onLevel("warn")}>
              <span class="swatch" style={{ "--dot": "var(--bar-amber)" }} />
              {count(totals.warn)} warnings
            </button>
          )}
        </>
      }
    />
  );
}
