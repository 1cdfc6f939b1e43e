/** Both versions over time: traffic, error rate, and the interval of the difference closing in. */
import { useMemo } from "preact/hooks";
import type { RolloutAnswer } from "../../../../workers/api/contract.ts";
import { countTick, percent, rate } from "../../lib/format.ts";
import {
  differenceChart,
  errorSeries,
  stepMarks,
  timeFrame,
  trafficSeries,
  withLastLook,
} from "../../lib/rollout-series.ts";
import { points as inPoints } from "../../lib/rollouts.ts";
import { navigate } from "../../state/location.ts";
import { Chart } from "../chart.tsx";
import { Version } from "../version.tsx";

const SYNC = "rollout";
/** Where nothing was judged yet, the margin that plans have by default. */
const USUAL_MARGIN = 0.005;

export function RolloutCharts({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { rollout, bucketMs } = answer;
  const { script } = rollout;
  // One that runs moves on with the clock, the one that ended stands still.
  const clock = rollout.endedAt === null ? Math.floor(now / bucketMs) : 0;
  const { points, ...frame } = useMemo(() => {
    const { from, to, points } = timeFrame(answer, now);
    return { x: points.map((p) => p.t), points, bucketMs, from, to, syncKey: SYNC };
  }, [answer, clock]);
  const marks = useMemo(() => stepMarks(answer), [answer]);
  const drawn = useMemo(
    () => ({ traffic: trafficSeries(points, answer, now), errors: errorSeries(points, rollout) }),
    [points],
  );
  const gate = answer.judgement?.gates.find((g) => g.kind === "errors" && g.difference !== null);
  const margin = gate?.margin || rollout.plan.gates.errors?.minEffect || USUAL_MARGIN;
  const difference = useMemo(() => {
    const made = differenceChart(withLastLook(points, answer), margin, rollout);
    return {
      series: made.series,
      bands: made.bands,
      yRange: [made.low, made.high] as [number, number],
      levels: [
        { value: 0, label: "", colour: "--faint" },
        { value: margin, label: `margin ${inPoints(margin)}`, colour: "--bar-red", dashed: true },
      ],
    };
  }, [points, margin]);
  const onZoom = (from: number, to: number) =>
    navigate(`/workers/${encodeURIComponent(script)}?from=${Math.floor(from)}&to=${Math.ceil(to)}`);
  const shared = { ...frame, marks, onZoom };
  return (
    <section aria-label="Over time">
      <div class="section-head legend-row">
        <h2>Over time</h2>
        {[rollout.old, rollout.new].map((v) => (
          <Version key={v.id} {...v} showMessage />
        ))}
      </div>
      <div class="charts roll-charts">
        <Chart
          title="Traffic"
          unitLabel="invocations per second"
          {...shared}
          series={drawn.traffic}
          format={(v) => rate(v, 1000)}
          formatTick={(v) => (v === 0 ? "0" : `${countTick(v)}/s`)}
        />
        <Chart
          title="Error rate"
          unitLabel="% of each version's"
          {...shared}
          series={drawn.errors}
          format={percent}
          minTop={0.01}
        />
        <Chart
          title="Difference of error rates"
          unitLabel="points, new − old, with its interval"
          {...shared}
          {...difference}
          format={(v) => `${inPoints(v)} points`}
          formatTick={(v) => inPoints(v)}
        />
      </div>
    </section>
  );
}
