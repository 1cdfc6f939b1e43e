/** Explore: a query, its events over time, and the events themselves or the figures that the query asks for. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { QueryStats } from "../../../workers/api/contract.ts";
import { ApiFailure } from "../api/client.ts";
import { CompletenessBadge } from "../components/completeness.tsx";
import { EventDetail } from "../components/event-detail.tsx";
import { EventList } from "../components/event-list.tsx";
import { Histogram } from "../components/histogram.tsx";
import { IssueLink } from "../components/issue-link.tsx";
import { QueryBar } from "../components/query-bar.tsx";
import { hasChart, ResultView } from "../components/result-view.tsx";
import { CopyButton, ErrorState, NoData, Progress, StaleNotice } from "../components/states.tsx";
import { readRef, writeRef } from "../lib/event-row.ts";
import { bytes, count, duration } from "../lib/format.ts";
import { watchHref } from "../lib/live/links.ts";
import { shapeOf } from "../lib/query-shape.ts";
import { addFilter, groupBy, issueOf } from "../lib/query-text.ts";
import { isRelative } from "../lib/range.ts";
import { progress, useEvents, useHistogram, useTable } from "../state/explore.ts";
import { useShortcuts } from "../state/keys.ts";
import { live } from "../state/live.ts";
import { navigate, query, range, setQuery, withRange } from "../state/location.ts";
import "../styles/explore.css";

/** The API's code for a query that cannot be read. */
const MISTAKE = "bad_query";
const DAY_MS = 86_400_000;

const counted = (n: number | undefined, what: string): string =>
  n === undefined ? "" : `${count(n)} ${what}${n === 1 ? "" : "s"}`;

function ReadStats({ stats }: { stats: QueryStats | undefined }) {
  if (stats === undefined) return null;
  return (
    <span class="small faint cut read-stats" title="What the server read to answer">
      {duration(stats.ms)} · {count(stats.events)} events read · {count(stats.segments)}{" "}
      {stats.segments === 1 ? "segment" : "segments"}
      {stats.pruned > 0 && `, ${count(stats.pruned)} ruled out`}
      {stats.bytes > 0 && ` · ${bytes(stats.bytes)}`}
    </span>
  );
}

export default function Explore() {
  const q = query.value.q ?? "";
  const issue = issueOf(q);
  const shape = useMemo(() => shapeOf(q, Date.now()), [q]);
  const [run, setRun] = useState(0);
  const [atTop, setAtTop] = useState(true);
  const [active, setActive] = useState(-1);
  const target = useMemo(() => readRef(query.value.event), [query.value.event]);
  const histogram = useHistogram(q, shape.kind, run);
  const table = useTable(q, shape.kind, run);
  const reading = !atTop || active >= 0 || target !== undefined;
  const events = useEvents(q, shape.kind, run, reading);
  const pages = events.pages;
  const pagesVersion = pages?.changed.value;

  useEffect(() => {
    document.title = q === "" ? "Explore · Tailrace" : `${q.slice(0, 60)} · Tailrace`;
  }, [q]);
  useEffect(() => {
    if (query.value.focus !== undefined) {
      setQuery({ focus: undefined }, true);
      document.getElementById("query")?.focus();
    }
  }, [query.value.focus]);
  useEffect(() => {
    setActive(target === undefined ? -1 : (pages?.indexOf(target.invocation, target.seq) ?? -1));
  }, [pages, target, target !== undefined && pagesVersion]);

  const runQuery = (text: string) => {
    if (text === q) setRun((n) => n + 1);
    else setQuery({ q: text, event: undefined });
  };
  const filter = (field: string, value: string | number | boolean | null, exclude: boolean) =>
    setQuery({ q: addFilter(q, field, value, exclude) });
  const openAt = (index: number, replace = target !== undefined) => {
    const row = pages?.row(index);
    if (row !== undefined) setQuery({ event: writeRef(row) }, replace);
  };
  const move = (step: number) => {
    if (pages === undefined || pages.total === 0) return;
    const next = Math.min(pages.total - 1, Math.max(0, active + step));
    setActive(next);
    if (target !== undefined) openAt(next);
  };
  const close = () => {
    setQuery({ event: undefined });
    document.querySelector<HTMLElement>(".events")?.focus({ preventScroll: true });
  };

  const toNow = () => {
    setActive(-1);
    setQuery({ event: undefined });
    document.querySelector(".events")?.scrollTo({ top: 0 });
    setRun((n) => n + 1);
  };

  useShortcuts({
    "/": () => {
      const input = document.getElementById("query") as HTMLTextAreaElement | null;
      input?.focus();
      input?.setSelectionRange(input.value.length, input.value.length);
    },
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => active >= 0 && openAt(active),
    Escape: () => (target !== undefined ? close() : setActive(-1)),
    i: () => {
      if (target !== undefined)
        navigate(withRange(`/invocations/${encodeURIComponent(target.invocation)}?around=${target.around}`));
    },
  });

  // What is already there stays when a refresh fails; the notice above it says so.
  const failure =
    shape.kind === "mistake"
      ? new ApiFailure(400, MISTAKE, shape.message, { position: shape.position })
      : ((table.data === undefined ? table.error : undefined) ?? (pages?.total === 0 ? pages.error : undefined));
  const stale = failure === undefined ? (table.error ?? histogram.error) : undefined;
  const inBar = failure?.code === MISTAKE;
  const stats = shape.kind === "table" ? table.data?.answer.stats : (pages?.stats ?? histogram.data?.answer.stats);
  const resultShape = shape.kind === "table" ? shape.stats : undefined;
  const chartOfResult =
    resultShape?.groups.includes(resultShape.binColumn) === true &&
    (table.data === undefined || hasChart(table.data.answer, resultShape));
  const empty = shape.kind === "events" && pages?.done === true && pages.total === 0 && events.fresh;
  const busy =
    (histogram.loading && !histogram.fresh) ||
    (table.loading && !table.fresh) ||
    (!events.fresh && shape.kind === "events");
  const showDay = (histogram.data?.to ?? 0) - (histogram.data?.from ?? 0) > DAY_MS;
  const total = useMemo(() => {
    const at = histogram.data?.answer.columns.findIndex((c) => c.name === "count") ?? -1;
    return histogram.data?.answer.rows.reduce((n, r) => n + Number(r[at] ?? 0), 0);
  }, [histogram.data]);

  return (
    <div class="explore">
      <h1 class="sr">Explore</h1>
      <Progress show={busy && failure === undefined} share={progress.value} />
      <QueryBar query={q} range={range.value} failure={inBar ? failure : undefined} onRun={runQuery} />
      {!chartOfResult && (
        <div class="explore-chart">
          <Histogram
            answer={histogram.data?.answer}
            from={histogram.data?.from ?? Date.now() - 3_600_000}
            to={histogram.data?.to ?? Date.now()}
            bucketMs={histogram.data?.bucketMs ?? 60_000}
            onLevel={(level) => filter("level", level, false)}
          />
        </div>
      )}
      <div class="explore-bar">
        <b class="num">
          {shape.kind === "table" ? counted(table.data?.answer.rows.length, "row") : counted(total, "event")}
        </b>
        {issue !== undefined && <IssueLink issue={issue} />}
        <ReadStats stats={stats} />
        <span class="grow" />
        {shape.kind !== "mistake" && (
          <a class="link small" href={withRange(watchHref(q))} title="What matches this filter, as it happens">
            Watch live
          </a>
        )}
        {shape.kind === "events" && reading && live.value && isRelative(range.value) && (
          <button type="button" class="link small" title="The list stands still while you read it" onClick={toNow}>
            Show newer
          </button>
        )}
        {shape.kind === "table" && table.data !== undefined && (
          <CopyButton label="JSON" text={() => JSON.stringify(table.data?.answer, null, 2)} />
        )}
        <CompletenessBadge value={stats?.completeness} />
      </div>
      {stale !== undefined && <StaleNotice failure={stale} retry={() => setRun((n) => n + 1)} />}
      <div class="explore-body">
        {failure !== undefined ? (
          <Failed failure={failure} retry={() => setRun((n) => n + 1)} />
        ) : empty ? (
          <Empty q={q} />
        ) : (
          <div class={`explore-main ${(shape.kind === "table" ? table.fresh : events.fresh) ? "" : "stale"}`}>
            {shape.kind === "table" && table.data !== undefined && (
              <ResultView stats={resultShape} onFilter={filter} {...table.data} />
            )}
            {pages !== undefined && (
              <EventList pages={pages} active={active} showDay={showDay} onOpen={openAt} onTop={setAtTop} />
            )}
          </div>
        )}
        {target !== undefined && (
          <EventDetail
            target={target}
            actions={{ onFilter: filter, onGroup: (field) => setQuery({ q: groupBy(q, field), event: undefined }) }}
            onClose={close}
          />
        )}
      </div>
    </div>
  );
}

/** A mistake is explained beside the query itself. */
function Failed({ failure, retry }: { failure: ApiFailure; retry: () => void }) {
  if (failure.code !== MISTAKE) return <ErrorState failure={failure} retry={retry} />;
  return (
    <div class="state">
      <p class="muted">Correct the query above. The question mark beside it shows what can be written.</p>
    </div>
  );
}

function Empty({ q }: { q: string }) {
  if (q === "") return <NoData />;
  return (
    <div class="state">
      <h2>No event matches</h2>
      <p class="muted">Nothing in this time range fits the query. Take a part of it away, or look further back.</p>
      <div class="row">
        <button type="button" class="btn" onClick={() => setQuery({ from: "-7d", to: "now" })}>
          Last 7 days
        </button>
        <button type="button" class="btn quiet" onClick={() => setQuery({ q: undefined })}>
          Clear the query
        </button>
      </div>
    </div>
  );
}
