/** The latest occurrences, each with the way to its whole invocation and to its own stack. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { IssueAnswer, IssueOccurrence } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import { issuesApi } from "../../api/issues.ts";
import { writeOccurrence } from "../../lib/event-row.ts";
import { day, full } from "../../lib/format.ts";
import { exploreHref } from "../../lib/query-text.ts";
import { query, range, setQuery, withRange } from "../../state/location.ts";
import { asFailure, useResource } from "../../state/resource.ts";
import { CompletenessBadge } from "../completeness.tsx";
import { Icon } from "../icons.tsx";
import { Progress, RetryNotice } from "../states.tsx";
import { Version } from "../version.tsx";

/** What is beside the stack without a scroll; then as many as one reads. */
const FIRST_ROWS = 10;
const MORE_ROWS = 50;

function invocationHref(o: IssueOccurrence): string {
  return withRange(`/invocations/${encodeURIComponent(o.invocationId)}?around=${Math.floor(o.time)}`);
}

function Row({ o, today }: { o: IssueOccurrence; today: string }) {
  const ref = writeOccurrence(o.invocationId, o.seq);
  const shown = query.value.at === ref;
  const time = full(o.time);
  return (
    <tr class={`click ${shown ? "active" : ""}`}>
      <td class="mono occ-time" title={time}>
        <a class="link-plain" href={invocationHref(o)}>
          {day(o.time) === today ? time.slice(11) : time.slice(5, 19)}
        </a>
      </td>
      <td class="occ-version">
        <Version {...o.version} showMessage />
      </td>
      <td class="occ-message">
        <a class="cut" href={invocationHref(o)} title={o.message}>
          {o.message || "–"}
        </a>
      </td>
      <td class="cut occ-route">
        {[o.method, o.route].filter((part) => part !== null && part !== "").join(" ") || (
          <span class="faint">{o.entrypoint ?? "–"}</span>
        )}
      </td>
      <td class="num occ-status">
        {o.status ?? (o.outcome === null ? "–" : <span title={o.outcome}>{o.outcome}</span>)}
      </td>
      <td class="occ-place muted">{[o.colo, o.country].filter((part) => part !== null).join(" · ")}</td>
      <td class="num">
        <button
          type="button"
          class="btn quiet small"
          aria-pressed={shown}
          onClick={() => {
            setQuery({ at: shown ? undefined : ref }, true);
            document.getElementById("stack-title")?.scrollIntoView({ block: "center" });
          }}
        >
          Stack
        </button>
      </td>
    </tr>
  );
}

export function Occurrences({ answer, refresh }: { answer: IssueAnswer; refresh: number }) {
  const { from, to } = range.value;
  const { id } = answer.issue;
  const version = query.value.version;
  const key = `${id} ${from} ${to} ${version}`;
  const [older, setOlder] = useState<{ rows: IssueOccurrence[]; next: string | undefined }>();
  const [failure, setFailure] = useState<ApiFailure>();
  // Rows that stand above older ones must stay where they are.
  const { data, error, loading, fresh, reload } = useResource(
    key,
    (signal) => issuesApi.occurrences(id, { from, to }, { version, limit: FIRST_ROWS }, signal),
    older === undefined ? refresh : 0,
  );
  useEffect(() => {
    setOlder(undefined);
    setFailure(undefined);
  }, [key]);
  const busy = useRef(false);
  const next = older === undefined ? data?.next : older.next;
  const rows = [...(data?.occurrences ?? []), ...(older?.rows ?? [])];
  const more = async () => {
    if (busy.current || next === undefined) return;
    busy.current = true;
    setFailure(undefined);
    try {
      const page = await issuesApi.occurrences(id, { from, to }, { version, before: next, limit: MORE_ROWS });
      setOlder((o) => ({ rows: [...(o?.rows ?? []), ...page.occurrences], next: page.next }));
    } catch (e) {
      setFailure(asFailure(e));
    }
    busy.current = false;
  };
  const today = day(Date.now());
  const problem = failure ?? (data === undefined ? error : undefined);
  return (
    <section aria-labelledby="occurrences-title">
      <Progress show={loading && !fresh} />
      <div class="section-head">
        <h2 id="occurrences-title">Occurrences</h2>
        <span class="small faint">newest first</span>
        {version !== undefined && (
          <button type="button" class="btn quiet small" onClick={() => setQuery({ version: undefined }, true)}>
            Only <Version id={version} showMessage /> <Icon name="close" />
          </button>
        )}
        <span class="grow" />
        <a class="btn quiet" href={exploreHref(answer.query, range.value)}>
          <Icon name="search" />
          In Explore
        </a>
        <CompletenessBadge value={data?.completeness} />
      </div>
      {problem !== undefined && (
        <RetryNotice failure={problem} retry={() => (failure === undefined ? reload() : void more())} />
      )}
      {rows.length > 0 && (
        <div class="table-scroll">
          <table class={`table occurrences ${fresh ? "" : "stale"}`}>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" class="occ-version">
                  Version
                </th>
                <th scope="col">Message</th>
                <th scope="col" class="occ-route">
                  Route
                </th>
                <th scope="col" class="num">
                  Answer
                </th>
                <th scope="col" class="occ-place">
                  From
                </th>
                <th scope="col">
                  <span class="sr">Stack</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((o) => (
                <Row key={`${o.invocationId} ${o.seq}`} o={o} today={today} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== undefined && rows.length === 0 && (
        <p class="muted occ-none">
          None in this time range.{" "}
          <button
            type="button"
            class="link"
            onClick={() =>
              setQuery({ from: String(answer.issue.lastSeen - 3_600_000), to: String(answer.issue.lastSeen + 60_000) })
            }
          >
            Look at when it was last seen
          </button>
        </p>
      )}
      {next !== undefined && (
        <button type="button" class="btn occ-more" onClick={() => void more()}>
          Older
        </button>
      )}
    </section>
  );
}
