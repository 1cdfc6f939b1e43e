/** Events over time, stacked by version, with a mark where a version first had it. */
import { useMemo } from "preact/hooks";
import type { IssueAnswer } from "../../../../workers/api/contract.ts";
import { bucketStarts } from "../../lib/buckets.ts";
import { count, countTick } from "../../lib/format.ts";
import type { PlotMark, PlotSeries } from "../../lib/plot-input.ts";
import { colourVar, nameOf, shortId } from "../../lib/versions.ts";
import { Chart, LegendItem } from "../chart.tsx";

const HEIGHT_PX = 132;
/** Half an event is none. */
const MIN_TOP = 4;
/** More versions than these share one bar. */
const MAX_VERSIONS = 6;

const wholeTick = (v: number) => (Number.isInteger(v) ? countTick(v) : "");

const label = (id: string) => (id === "" ? "no version" : nameOf(id)?.tag || shortId(id));
const sum = (counts: number[]) => counts.reduce((n, c) => n + c, 0);

function seriesOf(answer: IssueAnswer): PlotSeries[] {
  const sorted = [...answer.series].sort((a, b) => sum(b.counts) - sum(a.counts));
  const shown = sorted.slice(0, MAX_VERSIONS).map(
    (s): PlotSeries => ({
      label: label(s.version),
      colour: colourVar(s.version),
      kind: "bars",
      values: s.counts,
    }),
  );
  const rest = sorted.slice(MAX_VERSIONS);
  if (rest.length > 0)
    shown.push({
      label: `${rest.length} others`,
      colour: "--bar",
      kind: "bars",
      values: (rest[0]?.counts ?? []).map((_, i) => rest.reduce((n, s) => n + (s.counts[i] ?? 0), 0)),
    });
  return shown;
}

export function Timeline({ answer }: { answer: IssueAnswer }) {
  const series = useMemo(() => seriesOf(answer), [answer]);
  const x = useMemo(() => bucketStarts(answer.from, answer.to, answer.bucketMs), [answer]);
  const marks = useMemo(
    () =>
      answer.versions
        .filter((v) => v.id !== "" && v.firstSeen >= answer.from && v.firstSeen <= answer.to)
        .map((v): PlotMark => ({ t: v.firstSeen, label: label(v.id), colour: colourVar(v.id) })),
    [answer],
  );
  return (
    <Chart
      title="Events"
      unitLabel="per bar"
      height={HEIGHT_PX}
      x={x}
      bucketMs={answer.bucketMs}
      from={answer.from}
      to={answer.to}
      series={series}
      marks={marks}
      minTop={MIN_TOP}
      format={count}
      formatTick={wholeTick}
      legend={series.map((s) => (
        <LegendItem key={s.label} colour={s.colour}>
          {s.label}
        </LegendItem>
      ))}
    />
  );
}
