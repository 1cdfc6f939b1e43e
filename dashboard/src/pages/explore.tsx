/** Explore: a query, its events over time, and the events themselves or the figures that the query asks for. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { QueryAnswer, QueryStats } from "../../../workers/api/contract.ts";
import { ApiFailure, api } from "../api/client.ts";
import { CompletenessBadge } from "../components/completeness.tsx";
import { EventDetail } from "../components/event-detail.tsx";
import { EventList } from "../components/event-list.tsx";
import { Histogram } from "../components/histogram.tsx";
import { QueryBar } from "../components/query-bar.tsx";
import { hasChart, ResultView } from "../components/result-view.tsx";
import { CopyButton, ErrorState, NoData, Progress } from "../components/states.tsx";
import { bucketFor } from "../lib/buckets.ts";
import { readRef, writeRef } from "../lib/event-row.ts";
import { bytes, count, duration } from "../lib/format.ts";
import { shapeOf } from "../lib/query-shape.ts";
import { addFilter, groupBy, splitQuery } from "../lib/query-text.ts";
import { isRelative, resolveRange } from "../lib/range.ts";
import { rememberName } from "../lib/versions.ts";
import { EventPages } from "../state/event-pages.ts";
import { useShortcuts } from "../state/keys.ts";
import { live, tick } from "../state/live.ts";
import { navigate, query, range, setQuery, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import "../styles/explore.css";

/** Rows of a table with pipes. */
const TABLE_ROWS = 10_000;
const DAY_MS = 86_400_000;

interface Timed {
  answer: QueryAnswer;
  from: number;
  to: number;
  bucketMs: number;
}

/** The histogram counts what the filter finds, whatever the pipes make of it. */
function useHistogram(q: string, kind: string, run: number) {
  const filter = kind === "events" ? q : splitQuery(q).filter;
  const { from, to } = range.value;
  return useResource<Timed>(
    `${kind === "mistake" ? "" : filter}\n${from}\n${to}\n${run}`,
    async (signal) => {
      const at = resolveRange(range.value, Date.now());
      const bucket = bucketFor(at.to - at.from);
      const answer = await api.query(`${filter} | stats count() by bin(${bucket.text}), level`, at, TABLE_ROWS, signal);
      return { answer, ...at, bucketMs: bucket.ms };
    },
    tick.value,
  );
}

function useTable(q: string, kind: string, run: number) {
  const { from, to } = range.value;
  return useResource<Omit<Timed, "bucketMs"> | undefined>(
    `${kind === "table" ? q : ""}\n${from}\n${to}\n${run}`,
    async (signal) => {
      if (kind !== "table") return undefined;
      const at = resolveRange(range.value, Date.now());
      const [answer] = await Promise.all([api.query(q, at, undefined, signal), learnNames(q, at)]);
      return { answer, ...at };
    },
    tick.value,
  );
}

let learnt = "";

/** A table by version names them by tag and message, which the Overview's answer knows. */
async function learnNames(q: string, at: { from: number; to: number }): Promise<void> {
  const key = `${range.value.from} ${range.value.to}`;
  if (learnt === key || !/\bversion(_id)?\b/.test(splitQuery(q).pipes)) return;
  try {
    const { workers } = await api.overview(at);
    for (const v of workers.flatMap((w) => w.versions)) rememberName(v.id, v.tag, v.message);
    learnt = key;
  } catch {
    // The ids alone will do.
  }
}

/** New pages take the place of the old ones once their first page is there. */
function useEvents(q: string, kind: string, run: number, paused: boolean) {
  const key = `${q}\n${range.value.from}\n${range.value.to}\n${run}`;
  const [shown, setShown] = useState<{ key: string; pages: EventPages }>();
  const next = useRef<EventPages | null>(null);
  const start = () => {
    next.current?.dispose();
    const pages = new EventPages(q, resolveRange(range.value, Date.now()));
    next.current = pages;
    void pages.more().then(() => {
      if (next.current !== pages) return;
      next.current = null;
      setShown((old) => {
        old?.pages.dispose();
        return { key, pages };
      });
    });
  };
  useEffect(() => {
    if (kind === "events") start();
  }, [key, kind]);
  useEffect(() => {
    if (kind === "events" && !paused && shown?.key === key && next.current === null) start();
  }, [tick.value]);
  useEffect(() => () => next.current?.dispose(), []);
  return { pages: kind === "events" ? shown?.pages : undefined, fresh: shown?.key === key };
}

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

  const failure =
    shape.kind === "mistake"
      ? new ApiFailure(400, "bad_query", shape.message, { position: shape.position })
      : (table.error ?? histogram.error ?? (pages?.total === 0 ? pages.error : undefined));
  const inBar = failure !== undefined && failure.status === 400;
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
  const total = useMemo(() => {
    const at = histogram.data?.answer.columns.findIndex((c) => c.name === "count") ?? -1;
    return histogram.data?.answer.rows.reduce((n, r) => n + Number(r[at] ?? 0), 0);
  }, [histogram.data]);

  return (
    <div class="explore">
      <h1 class="sr">Explore</h1>
      <Progress show={busy && failure === undefined} />
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
          {shape.kind === "table"
            ? table.data &&
              `${count(table.data.answer.rows.length)} ${table.data.answer.rows.length === 1 ? "row" : "rows"}`
            : total !== undefined && `${count(total)} ${total === 1 ? "event" : "events"}`}
        </b>
        <ReadStats stats={stats} />
        <span class="grow" />
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
      <div class="explore-body">
        {failure !== undefined && !inBar ? (
          <ErrorState failure={failure} retry={() => setRun((n) => n + 1)} />
        ) : failure !== undefined ? (
          <div class="state">
            <p class="muted">Correct the query above. The question mark beside it shows what can be written.</p>
          </div>
        ) : empty ? (
          <Empty q={q} />
        ) : shape.kind === "table" ? (
          <div class={`explore-main ${table.fresh ? "" : "stale"}`}>
            {table.data !== undefined && (
              <ResultView
                answer={table.data.answer}
                stats={resultShape}
                from={table.data.from}
                to={table.data.to}
                onFilter={filter}
              />
            )}
          </div>
        ) : (
          <div class={`explore-main ${events.fresh ? "" : "stale"}`}>
            {pages !== undefined && (
              <EventList
                pages={pages}
                active={active}
                showDay={(histogram.data?.to ?? 0) - (histogram.data?.from ?? 0) > DAY_MS}
                onOpen={openAt}
                onTop={setAtTop}
              />
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
