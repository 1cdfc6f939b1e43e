/** How the stream is: its connection, what comes in per second, and what of it is not shown. */
import { useEffect, useReducer } from "preact/hooks";
import { clock, count } from "../../lib/format.ts";
import { isMissing } from "../../lib/live/counts.ts";
import { exploreBetween } from "../../lib/live/links.ts";
import { METER_SECONDS } from "../../lib/live/rate.ts";
import type { LiveFeed } from "../../state/live-feed.ts";
import { withRange } from "../../state/location.ts";
import { Icon } from "../icons.tsx";
import { Popover } from "../popover.tsx";
import { Sparkline } from "../sparkline.tsx";

const SECOND_MS = 1000;

/** Draws the component again every second, while somebody looks. */
export function useSeconds(): void {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) redraw(undefined);
    }, SECOND_MS);
    return () => clearInterval(timer);
  }, []);
}

const STATES = {
  connecting: { tone: "wait", text: "Connecting" },
  live: { tone: "on", text: "Live" },
  waiting: { tone: "wait", text: "Reconnecting" },
  ended: { tone: "off", text: "Not connected" },
} as const;

export function ConnectionState({ feed }: { feed: LiveFeed }) {
  useSeconds();
  const connection = feed.connection.value;
  const { tone, text } = STATES[connection.state];
  const seconds = connection.state === "waiting" ? Math.max(0, Math.ceil((connection.until - Date.now()) / 1000)) : 0;
  return (
    <span class={`live-state ${tone}`} title={"reason" in connection ? connection.reason : undefined}>
      <span class="dot" />
      <b role="status" class={feed.paused.value ? "hide-phone" : ""}>
        {text}
      </b>
      {connection.state === "waiting" && (
        <>
          {/* Read out, a countdown says a word every second. */}
          <span class="muted" aria-hidden="true">
            {seconds > 0 ? `in ${seconds} s` : "now"}
          </span>
          <button type="button" class="link" onClick={() => feed.comeBack()}>
            Try now
          </button>
        </>
      )}
      {feed.paused.value && <b class="live-paused">Paused</b>}
    </span>
  );
}

const perSecond = (n: number): string => `${count(n < 10 ? Math.round(n * 10) / 10 : Math.round(n))}/s`;

export function Meter({ feed }: { feed: LiveFeed }) {
  useSeconds();
  feed.beat.value;
  const now = Date.now();
  const { matched, shown } = feed.meter.rate(now);
  const series = feed.meter.series(now).map((s) => ({ requests: s.matched, errors: s.errors }));
  const thinned = matched > shown;
  return (
    <Popover
      label={`${perSecond(matched)} match; what is shown here`}
      align="left"
      buttonClass="btn quiet live-meter"
      panelClass="live-pop"
      button={
        <>
          <Sparkline series={series} label={`${perSecond(matched)} match`} />
          <b class="num">{perSecond(matched)}</b>
          {thinned && <span class="muted num">{perSecond(shown)} shown</span>}
        </>
      }
    >
      {() => (
        <>
          <p>
            Events per second that match, over the last {METER_SECONDS} s; errors in red. What matches and is not shown
            is counted beside it.
          </p>
          <p class="small muted">
            <NeverLive script={feed.script} />
          </p>
        </>
      )}
    </Popover>
  );
}

const plural = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
const KIND_WORDS: Record<string, string> = {
  invocation: "Invocations",
  log: "Logs",
  exception: "Exceptions",
  span: "Spans",
  raw: "Other",
};

/** What the stream cannot know of; docs/live.md says so, too. */
export function NeverLive({ script }: { script: string }) {
  return (
    <>
      What a sampling rule or a rate limit leaves out is not live, and not counted here:{" "}
      <a class="link" href={withRange(script === "" ? "/" : `/workers/${encodeURIComponent(script)}`)}>
        {script === "" ? "the Overview counts it" : `the page of ${script} counts it`}
      </a>
      .
    </>
  );
}

/** Nothing is left out in silence: how many, of what kind, why, and where they are. */
export function NotShown({ feed, question }: { feed: LiveFeed; question: string }) {
  feed.beat.value;
  const m = feed.missing;
  if (!isMissing(m)) return null;
  const total = m.events + m.unchecked + m.gone;
  return (
    <Popover
      label={`${plural(total, "event")} not shown`}
      align="left"
      buttonClass="btn quiet live-missing"
      panelClass="live-pop"
      button={
        <>
          <Icon name="alert" />
          <span class="num">{count(total)}</span>
          <span class="hide-phone">not shown</span>
          {m.errors > 0 && <span class="bad hide-phone">{plural(m.errors, "error")}</span>}
        </>
      }
    >
      {() => (
        <>
          <p>
            All of them are in the store. Charts and issues count them.{" "}
            <a class="link" href={exploreBetween(question, m.from, m.to)}>
              Explore {clock(m.from)} to {clock(m.to)}
            </a>
          </p>
          <table>
            <tbody>
              {Object.entries(m.kinds).map(([kind, n]) => (
                <tr key={kind}>
                  <th scope="row">{KIND_WORDS[kind] ?? kind}</th>
                  <td class="num">{count(n)}</td>
                </tr>
              ))}
              {m.events > 0 && (
                <tr>
                  <th scope="row">Of these, errors or of failed invocations</th>
                  <td class={`num ${m.errors > 0 ? "bad" : ""}`}>{count(m.errors)}</td>
                </tr>
              )}
            </tbody>
          </table>
          <ul class="small muted">
            {m.rate > 0 && (
              <li>
                {count(m.rate)}: more matched than are shown per second. What is shown is a fair sample, errors first.
                Narrow the filter, or watch one Worker.
              </li>
            )}
            {m.size > 0 && <li>{count(m.size)}: more at one moment than is sent at once.</li>}
            {m.slow > 0 && <li>{count(m.slow)}: this browser, or the line to it, did not keep up.</li>}
            {m.unchecked > 0 && (
              <li>
                {count(m.unchecked)}: not compared with the filter, which takes too long. Put a field or a phrase in
                place of a regular expression.
              </li>
            )}
            {m.gone > 0 && <li>{count(m.gone)}, matching or not: they came while the connection was broken.</li>}
          </ul>
          <p class="small muted">
            <NeverLive script={feed.script} />
          </p>
        </>
      )}
    </Popover>
  );
}
