/** What stands in place of the list while there is nothing in it, and what to do about it. */
import type { WorkerSummary } from "../../../../workers/api/contract.ts";
import { ago, clock, span } from "../../lib/format.ts";
import type { LiveFeed } from "../../state/live-feed.ts";
import { setQuery } from "../../state/location.ts";
import { Snippet, TAIL_LINE } from "../states.tsx";
import { NeverLive, useSeconds } from "./status.tsx";

interface Props {
  feed: LiveFeed;
  /** Those that reported of late; undefined while it is not known. */
  workers: WorkerSummary[] | undefined;
  exploreHref: string;
}

function Observe() {
  return (
    <>
      <p class="muted">
        No Worker is observed yet. Add this line to a Worker's <code>wrangler.toml</code> and deploy it; its code stays
        as it is.
      </p>
      <Snippet code={TAIL_LINE} />
    </>
  );
}

function LastSeen({ script, workers }: { script: string; workers: WorkerSummary[] }) {
  const now = Date.now();
  if (script === "") {
    const newest = workers.reduce((a, b) => (a.lastSeen > b.lastSeen ? a : b));
    return (
      <li>
        The last one to report was {newest.script}, {ago(newest.lastSeen, now)}.
      </li>
    );
  }
  const worker = workers.find((w) => w.script === script);
  return (
    <li>
      {worker === undefined
        ? `${script} has not reported for a day. Is it deployed with the tail_consumers line, and is its name right?`
        : `${script} reported ${ago(worker.lastSeen, now)}.`}
    </li>
  );
}

export function LiveEmpty({ feed, workers, exploreHref }: Props) {
  useSeconds();
  const q = feed.applied.value ?? "";
  const waited = Date.now() - feed.begun;
  return (
    <div class="state live-empty">
      <h2>{q === "" ? "Waiting for events" : "Waiting for events that match"}</h2>
      {workers?.length === 0 ? (
        <Observe />
      ) : (
        <>
          <p class="muted">
            Nothing {q === "" ? "has come" : "has matched"} since {clock(feed.begun)}
            {waited >= 5000 && `, for ${span(waited)}`}. An invocation shows up here within a second of its end.
          </p>
          <ul class="muted live-check">
            {workers !== undefined && <LastSeen script={feed.script} workers={workers} />}
            {q !== "" && (
              <li>
                Only what matches <code>{q}</code> is shown.
              </li>
            )}
            <li>
              <NeverLive script={feed.script} />
            </li>
          </ul>
        </>
      )}
      <div class="row">
        {q !== "" && (
          <button type="button" class="btn" onClick={() => setQuery({ q: undefined })}>
            Clear the filter
          </button>
        )}
        {feed.script !== "" && (
          <button type="button" class="btn" onClick={() => setQuery({ script: undefined })}>
            Watch all Workers
          </button>
        )}
        {workers?.length !== 0 && (
          <a class="btn quiet" href={exploreHref}>
            What came in the last hour
          </a>
        )}
      </div>
    </div>
  );
}
