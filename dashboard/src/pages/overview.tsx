/**
 * Overview: is it broken, since when, which version (above the fold), then
 * requests, error rate and latency over time, then every Worker with its
 * versions.
 */
import { useEffect, useMemo } from "preact/hooks";
import type { OverviewAnswer } from "../../../workers/api/contract.ts";
import { api } from "../api/client.ts";
import { Chart, LegendItem } from "../components/chart.tsx";
import { CompletenessBadge } from "../components/completeness.tsx";
import { Findings } from "../components/finding.tsx";
import { type Brief, IssueBrief, useIssueBrief } from "../components/issue-brief.tsx";
import { MeasureRow } from "../components/measures.tsx";
import { type Running, RunningLine, useRunningLine } from "../components/rollouts/running.tsx";
import { ErrorState, NoData, Progress, StaleNotice } from "../components/states.tsx";
import { WorkerTable } from "../components/worker-table.tsx";
import { diagnoseAll } from "../lib/diagnose.ts";
import { count, countTick, durationTick, percent, quantile } from "../lib/format.ts";
import { firstSeenMarks, line, requestBars, timesOf } from "../lib/series.ts";
import { assignColours, colourVar, rememberName, shortId } from "../lib/versions.ts";
import { tick } from "../state/live.ts";
import { range, setQuery } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import "../styles/overview.css";

const SYNC = "overview";
/** More lines than this on the error chart are a tangle. */
const BLAMED_LINES = 2;
const BLAMED_RATE = 0.005;

function useOverview() {
  const { from, to } = range.value;
  const resource = useResource(`${from} ${to}`, (signal) => api.overview({ from, to }, signal), tick.value);
  const data = resource.data;
  useMemo(() => {
    for (const { versions } of data?.workers ?? []) {
      for (const v of versions) rememberName(v.id, v.tag, v.message);
      assignColours([...versions].sort((a, b) => a.firstSeen - b.firstSeen).map((v) => v.id));
    }
  }, [data]);
  return resource;
}

function Charts({ data }: { data: OverviewAnswer }) {
  const points = data.total.series;
  const frame = useMemo(
    () => ({ x: timesOf(points), bucketMs: data.bucketMs, from: data.from, to: data.to, syncKey: SYNC }),
    [data],
  );
  const blamed = useMemo(
    () =>
      data.workers
        .flatMap((w) =>
          w.versions.length > 1
            ? w.versions.map((v) => ({
                ...v,
                name: `${w.script} ${v.tag || shortId(v.id)}`,
              }))
            : [],
        )
        .filter((v) => v.errorRate >= BLAMED_RATE)
        .sort((a, b) => b.errors - a.errors)
        .slice(0, BLAMED_LINES),
    [data],
  );
  const marks = useMemo(
    () =>
      data.workers
        .filter((w) => blamed.some((v) => w.versions.some((own) => own.id === v.id)))
        .flatMap((w) => firstSeenMarks(w.versions, data.from, data.bucketMs)),
    [data, blamed],
  );
  const requests = useMemo(() => requestBars(points), [points]);
  const errors = useMemo(
    () => [
      ...blamed.map((v) => line(v.series, v.name, colourVar(v.id), (p) => p.errorRate)),
      line(points, "All Workers", "--bar-red", (p) => p.errorRate),
    ],
    [points, blamed],
  );
  const latency = useMemo(
    () => [line(points, "p50", "--bar", (p) => p.p50), line(points, "p99", "--accent", (p) => p.p99)],
    [points],
  );
  return (
    <section class="charts" aria-label="Over time">
      <Chart
        title="Requests"
        unitLabel="per bar"
        {...frame}
        marks={marks}
        series={requests}
        format={count}
        formatTick={countTick}
        legend={
          <>
            <LegendItem colour="--bar">Succeeded</LegendItem>
            <LegendItem colour="--bar-red">Failed</LegendItem>
          </>
        }
      />
      <Chart
        title="Error rate"
        unitLabel="% of requests"
        {...frame}
        marks={marks}
        series={errors}
        format={percent}
        minTop={0.01}
        legend={
          <>
            <LegendItem colour="--bar-red">All</LegendItem>
            {blamed.map((v) => (
              <LegendItem key={v.id} colour={colourVar(v.id)}>
                {v.name}
              </LegendItem>
            ))}
          </>
        }
      />
      <Chart
        title="Duration"
        unitLabel="wall time"
        {...frame}
        marks={marks}
        series={latency}
        format={quantile}
        formatTick={durationTick}
        minTop={1}
        legend={
          <>
            <LegendItem colour="--bar">p50</LegendItem>
            <LegendItem colour="--accent">p99</LegendItem>
          </>
        }
      />
    </section>
  );
}

/** All at once: figures that came before the verdict would be pushed down by it. */
function Loaded({ data, brief, running }: { data: OverviewAnswer; brief: Brief; running: Running }) {
  const findings = useMemo(() => diagnoseAll(data.workers), [data]);
  const now = Math.min(Date.now(), data.to);
  return (
    <>
      <div class="verdict">
        <Findings findings={findings} range={range.value} now={now} />
        <span class="grow" />
        <CompletenessBadge value={data.completeness} />
      </div>
      <RunningLine rollouts={running.rollouts} />
      <MeasureRow total={data.total} spanMs={data.to - data.from} range={range.value} />
      <IssueBrief answer={brief.answer} />
      <Charts data={data} />
      <WorkerTable workers={data.workers} total={data.total.requests} now={now} />
    </>
  );
}

export default function Overview() {
  const { data, error, loading, fresh, reload } = useOverview();
  const brief = useIssueBrief();
  const running = useRunningLine();
  useEffect(() => {
    document.title = "Overview · Tailrace";
  }, []);

  if (data === undefined && error !== undefined) return <ErrorState failure={error} retry={reload} />;
  if (data !== undefined && data.workers.length === 0)
    return (
      <NoData>
        {range.value.from !== "-30d" && (
          <button type="button" class="btn" onClick={() => setQuery({ from: "-30d", to: "now" })}>
            Look at the last 30 days
          </button>
        )}
      </NoData>
    );
  return (
    <div class={`page overview ${fresh ? "" : "stale"}`}>
      <Progress show={loading && !fresh} />
      <h1 class="sr">Overview</h1>
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      {data !== undefined && brief.settled && running.settled && <Loaded data={data} brief={brief} running={running} />}
    </div>
  );
}
