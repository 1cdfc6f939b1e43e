/** Live: what the Workers do, as they do it. Worker and filter are in the URL; the rest is the moment. */
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client.ts";
import { LiveBar } from "../components/live/bar.tsx";
import { LiveEmpty } from "../components/live/empty.tsx";
import { LiveList } from "../components/live/list.tsx";
import { QueryBar } from "../components/query-bar.tsx";
import { SelectFilter } from "../components/select-filter.tsx";
import { ErrorState, Progress } from "../components/states.tsx";
import { shownOf } from "../lib/live/buffer.ts";
import { exploreBetween, invocationAt, liveQuery } from "../lib/live/links.ts";
import { addFilter, exploreHref, groupBy } from "../lib/query-text.ts";
import { assignColours, rememberName } from "../lib/versions.ts";
import { useShortcuts } from "../state/keys.ts";
import type { LiveFeed } from "../state/live-feed.ts";
import { leaveFeed, takeFeed } from "../state/live-kept.ts";
import { navigate, query, setQuery, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import "../styles/explore.css";
import "../styles/measures.css";
import "../styles/live.css";

const EXAMPLE = 'Filter, e.g. status:>=500 "card declined" -colo:LHR';
/** Completion offers what was seen in this time. */
const KNOWN_RANGE = { from: "-1h", to: "now" };
/** Workers that reported in this time can be chosen. */
const WORKERS_RANGE = { from: "-24h", to: "now" };
/** To either side of an event, when one groups by what it says. */
const GROUP_MS = 15 * 60_000;
/** The API's code for a filter that cannot be read. */
const MISTAKE = "bad_query";

const filterOf = () => query.value.q ?? "";
const question = () => liveQuery(query.value.script ?? "", filterOf());

const actions = {
  question,
  onFilter: (field: string, value: string | number | boolean | null, exclude: boolean) =>
    setQuery({ q: addFilter(filterOf(), field, value, exclude) }),
  onGroup: (field: string) => {
    const now = Date.now();
    navigate(exploreBetween(groupBy(question(), field), now - GROUP_MS, now));
  },
};

function useFeed(script: string, q: string): LiveFeed {
  const feed = useMemo(() => takeFeed(script, q), [script]);
  useEffect(() => () => leaveFeed(feed), [feed]);
  useEffect(() => feed.filter(q), [feed, q]);
  useEffect(() => {
    // What is worth another try at once: the line is back, or somebody looks again.
    const again = () => {
      if (!document.hidden && feed.connection.value.state === "waiting") feed.comeBack();
    };
    window.addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    return () => {
      window.removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
    };
  }, [feed]);
  return feed;
}

function useKeys(feed: LiveFeed): void {
  const move = (step: number) => {
    const { rows, active, inView } = feed;
    if (rows.length === 0) return;
    const at = active.value === undefined ? -1 : rows.indexOf(active.value);
    const next = at < 0 ? inView.last : Math.max(0, Math.min(rows.length - 1, at + step));
    feed.setFollow(false);
    feed.active.value = rows.at(next)?.n;
  };
  const atActive = () =>
    feed.active.value === undefined ? undefined : feed.rows.at(feed.rows.indexOf(feed.active.value));
  useShortcuts({
    " ": () => (feed.paused.value ? feed.resume() : feed.pause()),
    f: () => feed.setFollow(!feed.follow.value),
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => {
      const row = atActive();
      if (row?.event !== undefined) feed.toggle(row.n);
    },
    Escape: () => {
      const n = feed.active.value;
      if (n !== undefined && feed.expanded.value.has(n)) feed.toggle(n);
      else feed.active.value = undefined;
    },
    i: () => {
      const row = atActive();
      const shown = row === undefined ? undefined : shownOf(row);
      if (shown !== undefined) navigate(withRange(invocationAt(shown)));
    },
    "/": () => {
      const input = document.getElementById("query") as HTMLTextAreaElement | null;
      input?.focus();
      input?.setSelectionRange(input.value.length, input.value.length);
    },
  });
}

export default function Live() {
  const script = query.value.script ?? "";
  const q = filterOf();
  const feed = useFeed(script, q);
  useKeys(feed);
  const known = useResource("live", (signal) => api.overview(WORKERS_RANGE, signal));
  const workers = known.data?.workers;
  useMemo(() => {
    for (const { versions } of workers ?? []) {
      for (const v of versions) rememberName(v.id, v.tag, v.message);
      assignColours([...versions].sort((a, b) => a.firstSeen - b.firstSeen).map((v) => v.id));
    }
  }, [workers]);
  useEffect(() => {
    document.title = `${script === "" ? "Live" : `${script} live`} · Tailrace`;
  }, [script]);

  const connection = feed.connection.value;
  const mistake = feed.mistake.value;
  const inBar = connection.state !== "ended" || mistake?.code === MISTAKE;
  // Read so that the list takes the place of what stands there while it is empty.
  feed.drawn.value;
  const lastHour = exploreHref(question(), KNOWN_RANGE);
  return (
    <div class="explore live-page">
      <h1 class="sr">Live</h1>
      <Progress show={connection.state === "connecting"} />
      <div class="live-ask">
        <SelectFilter
          name="script"
          label="Worker"
          any="All Workers"
          options={(workers ?? []).map((w) => ({ value: w.script, label: w.script }))}
        />
        <div class="live-filter">
          <QueryBar
            query={q}
            range={KNOWN_RANGE}
            failure={inBar ? mistake : undefined}
            filterOnly={EXAMPLE}
            onRun={(text) => (text === q ? feed.filter(q) : setQuery({ q: text }))}
          />
          {mistake !== undefined && inBar && feed.applied.value !== undefined && (
            <p class="small muted">
              {feed.applied.value === "" ? (
                "What is shown is still unfiltered."
              ) : (
                <>
                  What is shown still goes by <code>{feed.applied.value}</code>
                </>
              )}
            </p>
          )}
        </div>
      </div>
      <LiveBar feed={feed} question={question()} exploreHref={lastHour} />
      {feed.rows.length > 0 ? (
        <LiveList key={script} feed={feed} actions={actions} />
      ) : connection.state === "ended" && !inBar && mistake !== undefined ? (
        <ErrorState failure={mistake} retry={() => feed.comeBack()} />
      ) : mistake !== undefined && feed.applied.value === undefined ? (
        <div class="state">
          <p class="muted">Correct the filter above. The question mark beside it shows what can be written.</p>
        </div>
      ) : connection.state === "live" ? (
        <LiveEmpty feed={feed} workers={workers} exploreHref={lastHour} />
      ) : (
        <Unreachable waiting={connection.state === "waiting"} />
      )}
    </div>
  );
}

/** Before the first connection stands. */
function Unreachable({ waiting }: { waiting: boolean }) {
  if (!waiting) return null;
  return (
    <div class="state">
      <h2>The live stream cannot be reached</h2>
      <p class="muted">
        It is tried again by itself. If everything else works, something between this browser and Tailrace lets no
        WebSockets through.
      </p>
    </div>
  );
}
