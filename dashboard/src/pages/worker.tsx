/** One Worker: its versions side by side, as figures and over time, and what its requests were. */
import { useEffect, useMemo } from "preact/hooks";
import type { BreakdownRow, WorkerAnswer } from "../../../workers/api/contract.ts";
import { api } from "../api/client.ts";
import { BarList, type BarRow } from "../components/bar-list.tsx";
import { Chart } from "../components/chart.tsx";
import { CompletenessBadge } from "../components/completeness.tsx";
import { Findings } from "../components/finding.tsx";
import { Icon } from "../components/icons.tsx";
import { type Brief, IssueBrief, useIssueBrief } from "../components/issue-brief.tsx";
import { MeasureRow } from "../components/measures.tsx";
import { type Running, RunningLine, useRunningLine } from "../components/rollouts/running.tsx";
import { StartButton } from "../components/rollouts/start-button.tsx";
import { SourceMaps } from "../components/source-maps.tsx";
import { ErrorState, NoData, Progress, StaleNotice } from "../components/states.tsx";
import { Version } from "../components/version.tsx";
import { MeasureCells } from "../components/worker-table.tsx";
import { diagnose } from "../lib/diagnose.ts";
import { count, countTick, durationTick, full, moment, percent, quantile, rate } from "../lib/format.ts";
import { watchHref } from "../lib/live/links.ts";
import { exploreHref, term } from "../lib/query-text.ts";
import { firstSeenMarks, perSecond, requestBars, timesOf, versionLines } from "../lib/series.ts";
import { assignColours, colourVar, rememberName } from "../lib/versions.ts";
import { tick } from "../state/live.ts";
import { range, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import "../styles/overview.css";
import "../styles/worker.css";

const SYNC = "worker";
/** Beyond this many lines an overlay is a tangle; the busiest stay. */
const MAX_LINES = 6;

function VersionTable({ data }: { data: WorkerAnswer }) {
  const { worker } = data;
  return (
    <section aria-labelledby="versions-title">
      <div class="section-head">
        <h2 id="versions-title">Versions</h2>
      </div>
      <div class="table-scroll">
        <table class="table versions">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Share</th>
              <th scope="col" class="num">
                Requests
              </th>
              <th scope="col" class="num">
                Errors
              </th>
              <th scope="col" class="num">
                p50
              </th>
              <th scope="col" class="num">
                p99
              </th>
              <th scope="col" class="num cpu">
                CPU p99
              </th>
              <th scope="col" class="num seen">
                First seen
              </th>
              <th scope="col" class="num seen">
                Last seen
              </th>
              <th scope="col">Source maps</th>
            </tr>
          </thead>
          <tbody>
            {worker.versions.map((v) => {
              const share = worker.requests > 0 ? v.requests / worker.requests : 0;
              const q = `${term("script", worker.script)} ${term("version", v.id)}`;
              return (
                <tr key={v.id} class="click">
                  <td class="name">
                    <a href={exploreHref(q, range.value)}>
                      <Version id={v.id} tag={v.tag} message={v.message} showMessage />
                    </a>
                  </td>
                  <td class="share">
                    <span class="share-track">
                      <span style={{ width: `${share * 100}%`, background: `var(${colourVar(v.id)})` }} />
                    </span>
                    <span class="num">{percent(share)}</span>
                  </td>
                  <MeasureCells m={v} filter={q} />
                  <td class="num faint seen" title={full(v.firstSeen)}>
                    {moment(v.firstSeen, data.to)}
                  </td>
                  <td class="num faint seen" title={full(v.lastSeen)}>
                    {moment(v.lastSeen, data.to)}
                  </td>
                  <td>{v.id !== "" && <SourceMaps script={worker.script} version={v.id} />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Charts({ data }: { data: WorkerAnswer }) {
  const { worker } = data;
  const versions = useMemo(
    () => [...worker.versions].sort((a, b) => b.requests - a.requests).slice(0, MAX_LINES),
    [data],
  );
  const frame = useMemo(
    () => ({ x: timesOf(worker.series), bucketMs: data.bucketMs, from: data.from, to: data.to, syncKey: SYNC }),
    [data],
  );
  const marks = useMemo(() => firstSeenMarks(worker.versions, data.from, data.bucketMs), [data]);
  const single = versions.length < 2;
  const series = useMemo(
    () => ({
      requests: single ? requestBars(worker.series) : versionLines(versions, perSecond(data.bucketMs)),
      errors: versionLines(versions, (p) => p.errorRate),
      p50: versionLines(versions, (p) => p.p50),
      p99: versionLines(versions, (p) => p.p99),
    }),
    [data, versions],
  );
  return (
    <section aria-label="Over time">
      <div class="section-head legend-row">
        <h2>Over time</h2>
        {versions.map((v) => (
          <Version key={v.id} id={v.id} tag={v.tag} message={v.message} showMessage />
        ))}
        {worker.versions.length > versions.length && (
          <span class="small faint">and {worker.versions.length - versions.length} with fewer requests</span>
        )}
      </div>
      <div class="charts">
        <Chart
          title="Requests"
          unitLabel={single ? "per bar" : "per second"}
          {...frame}
          marks={marks}
          series={series.requests}
          format={single ? count : (v) => rate(v, 1000)}
          formatTick={single ? countTick : (v) => (v === 0 ? "0" : `${countTick(v)}/s`)}
        />
        <Chart
          title="Error rate"
          unitLabel="% of requests"
          {...frame}
          marks={marks}
          series={series.errors}
          format={percent}
          minTop={0.01}
        />
        <Chart
          title="Duration p50"
          unitLabel="wall time"
          {...frame}
          marks={marks}
          series={series.p50}
          format={quantile}
          formatTick={durationTick}
          minTop={1}
        />
        <Chart
          title="Duration p99"
          unitLabel="wall time"
          {...frame}
          marks={marks}
          series={series.p99}
          format={quantile}
          formatTick={durationTick}
          minTop={1}
        />
      </div>
    </section>
  );
}

const OUTCOME_TONE: Record<string, "" | "warn"> = {
  ok: "",
  unknown: "",
  canceled: "warn",
  responseStreamDisconnected: "warn",
};
const STATUS_TONE: Record<string, "bad" | "warn"> = { "5xx": "bad", "4xx": "warn" };

function statusFilter(cls: string): string {
  const digit = /^([1-5])xx$/.exec(cls)?.[1];
  return digit === undefined ? "-status:*" : `status:${digit}00..${digit}99`;
}

function Breakdowns({ data }: { data: WorkerAnswer }) {
  const base = `${term("script", data.worker.script)} kind:invocation`;
  const measured =
    (field: string) =>
    (r: BreakdownRow): BarRow => ({ ...r, q: `${base} ${term(field, r.value)}` });
  return (
    <section class="breakdowns" aria-label="Breakdowns">
      <BarList
        title="Entrypoint"
        rows={data.entrypoints.map(measured("entrypoint")).map((r) => ({ ...r, value: r.value || "default" }))}
      />
      <BarList title="Event type" rows={data.eventTypes.map(measured("event_type"))} />
      <BarList
        title="Outcome"
        rows={data.outcomes.map((r) => ({
          ...r,
          q: `${base} ${term("outcome", r.value)}`,
          tone: OUTCOME_TONE[r.value] ?? "bad",
        }))}
      />
      <BarList
        title="Status"
        rows={data.statuses.map((r) => ({
          ...r,
          value: r.value === "none" ? "no HTTP status" : r.value,
          q: `${base} ${statusFilter(r.value)}`,
          tone: STATUS_TONE[r.value] ?? "",
        }))}
      />
    </section>
  );
}

function Loaded({ data, brief, running }: { data: WorkerAnswer; brief: Brief; running: Running }) {
  const finding = useMemo(() => diagnose(data.worker), [data]);
  return (
    <>
      <div class="verdict">
        <Findings
          findings={finding ? [finding] : []}
          range={range.value}
          now={Math.min(Date.now(), data.to)}
          showScript={false}
        />
      </div>
      <RunningLine rollouts={running.rollouts} showScript={false} />
      <MeasureRow
        total={data.worker}
        spanMs={data.to - data.from}
        range={range.value}
        filter={term("script", data.worker.script)}
      />
      <IssueBrief answer={brief.answer} script={data.worker.script} />
      <VersionTable data={data} />
      <Charts data={data} />
      <Breakdowns data={data} />
    </>
  );
}

export default function Worker({ script }: { script: string }) {
  const { from, to } = range.value;
  const brief = useIssueBrief(script);
  const running = useRunningLine(script);
  const { data, error, loading, fresh, reload } = useResource(
    `${script} ${from} ${to}`,
    (signal) => api.worker(script, { from, to }, signal),
    tick.value,
  );
  useEffect(() => {
    document.title = `${script} · Tailrace`;
  }, [script]);
  useMemo(() => {
    for (const v of data?.worker.versions ?? []) rememberName(v.id, v.tag, v.message);
    if (data) assignColours([...data.worker.versions].sort((a, b) => a.firstSeen - b.firstSeen).map((v) => v.id));
  }, [data]);

  if (data === undefined && error?.status === 404) return <NoData />;
  if (data === undefined && error !== undefined) return <ErrorState failure={error} retry={reload} />;
  return (
    <div class={`page worker ${fresh ? "" : "stale"}`}>
      <Progress show={loading && !fresh} />
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      <div class="worker-head">
        <a class="icon-btn" href={withRange("/")} aria-label="Back to Overview">
          <Icon name="back" />
        </a>
        <h1 class="cut">{script}</h1>
        <a class="btn" aria-label="Events" href={exploreHref(term("script", script), range.value)}>
          <Icon name="search" />
          <span class="hide-phone">Events</span>
        </a>
        <a class="btn" aria-label="Watch live" href={withRange(watchHref("", script))}>
          <Icon name="play" />
          <span class="hide-phone">Watch live</span>
        </a>
        {running.settled && running.rollouts.length === 0 && <StartButton script={script} />}
        <a class="btn quiet hide-phone" href={`/settings/workers?script=${encodeURIComponent(script)}`}>
          Retention and sampling
        </a>
        <span class="grow" />
        <CompletenessBadge value={data?.completeness} />
      </div>
      {data !== undefined &&
        brief.settled &&
        running.settled &&
        (data.worker.requests === 0 ? <NoData /> : <Loaded data={data} brief={brief} running={running} />)}
    </div>
  );
}
