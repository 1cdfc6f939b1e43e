/** A query with pipes: its table, and a chart when it groups by time. */
import { useMemo, useState } from "preact/hooks";
import type { QueryAnswer } from "../../../workers/api/contract.ts";
import { type Shape, toSeries } from "../lib/result-series.ts";
import { Chart, LegendItem } from "./chart.tsx";
import { ResultTable } from "./result-table.tsx";

interface Props {
  answer: QueryAnswer;
  stats: Shape | undefined;
  from: number;
  to: number;
  onFilter: (field: string, value: string | number | boolean | null, exclude: boolean) => void;
}

const HEIGHT_PX = 200;

function ResultChart({ answer, stats, from, to }: Props & { stats: Shape }) {
  const drawable = stats.aggregates.filter((a) => answer.columns.some((c) => c.name === a && c.type === "number"));
  const [wanted, setWanted] = useState("");
  const aggregate = drawable.includes(wanted) ? wanted : (drawable[0] ?? "");
  const drawn = useMemo(() => toSeries(answer, stats, aggregate, { from, to }), [answer, aggregate]);
  const unit = answer.columns.find((c) => c.name === aggregate)?.unit;
  return (
    <div class="explore-chart">
      <Chart
        title={aggregate}
        unitLabel={unit ?? "per bucket"}
        height={HEIGHT_PX}
        from={from}
        to={to}
        {...drawn}
        legend={
          <span class="row legend-cut">
            {drawn.series.length > 1 &&
              drawn.series.map((s) => (
                <LegendItem key={s.label} colour={s.colour}>
                  {s.label}
                </LegendItem>
              ))}
            {drawn.hidden > 0 && <span class="small faint">{drawn.hidden} more in the table</span>}
            {drawable.length > 1 && (
              <select
                class="input chart-choice"
                aria-label="What to draw"
                value={aggregate}
                onChange={(e) => setWanted(e.currentTarget.value)}
              >
                {drawable.map((a) => (
                  <option key={a}>{a}</option>
                ))}
              </select>
            )}
          </span>
        }
      />
    </div>
  );
}

/** Whether the answer itself has a time axis to draw. */
export const hasChart = (answer: QueryAnswer | undefined, stats: Shape | undefined): boolean =>
  answer !== undefined &&
  stats?.groups.includes(stats.binColumn) === true &&
  answer.columns.some((c) => c.name === stats.binColumn);

export function ResultView(props: Props) {
  const { answer, stats, onFilter } = props;
  const groups = useMemo(
    () => new Set(stats?.groups ?? answer.columns.filter((c) => c.type !== "json").map((c) => c.name)),
    [answer, stats],
  );
  return (
    <>
      {stats !== undefined && hasChart(answer, stats) && <ResultChart {...props} stats={stats} />}
      <ResultTable answer={answer} groups={groups} onFilter={onFilter} />
    </>
  );
}
