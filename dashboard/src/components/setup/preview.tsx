/** What these rules would have sent of the last hour, as one changes them. */
import { useEffect, useState } from "preact/hooks";
import type { DestinationRules, PreviewAnswer } from "../../../../workers/api/contract.ts";
import { integrationsApi } from "../../api/integrations.ts";
import { clock, count, full } from "../../lib/format.ts";
import { FEED_LABELS } from "../../lib/integrations.ts";
import { useResource } from "../../state/resource.ts";

/** It reads an hour of events: not at each key. */
const TYPING_MS = 500;
const SHOWN_WORKERS = 6;

type FeedCounts = PreviewAnswer["feeds"][number];
const PARTS = [
  ["sent", "sent", "--accent"],
  ["sampled", "sampled out", "--bar"],
  ["ceiling", "above the ceiling", "--bar-amber"],
  ["notChosen", "not chosen", "--line-strong"],
] as const;

function Bar({ of, about }: { of: FeedCounts; about: string }) {
  const total = Math.max(1, of.candidates);
  return (
    <div class="preview-feed">
      <div class="row">
        <b>{FEED_LABELS[of.feed]}</b>
        <span class="grow" />
        <span>
          {about}
          {count(of.sent)} <span class="muted">of {count(of.candidates)}</span>
        </span>
      </div>
      <div class="preview-bar" aria-hidden="true">
        {PARTS.map(([key, , colour]) => (
          <span key={key} style={{ width: `${(of[key] / total) * 100}%`, background: `var(${colour})` }} />
        ))}
      </div>
      <div class="small faint">
        {PARTS.slice(1)
          .filter(([key]) => of[key] > 0)
          .map(([key, words]) => `${count(of[key])} ${words}`)
          .join(", ") || (of.candidates > 0 ? "all of them" : "there were none")}
      </div>
    </div>
  );
}

function Found({ answer }: { answer: PreviewAnswer }) {
  const sent = answer.feeds.reduce((n, f) => n + f.sent, 0);
  const about = answer.exact ? "" : "about ";
  const minutes = Math.max(1, (answer.to - answer.from) / 60_000);
  return (
    <>
      <p class="preview-sum" role="status">
        <b>
          {about}
          {count(sent)}
        </b>{" "}
        <span class="muted">
          {sent === 1 ? "item" : "items"} would have been sent, {count(Number((sent / minutes).toPrecision(2)))} per
          minute
        </span>
      </p>
      {answer.feeds.map((f) => (
        <Bar key={f.feed} of={f} about={about} />
      ))}
      {answer.byWorker.length > 0 && (
        <div class="preview-workers">
          <h4 class="small faint">By Worker</h4>
          <ul>
            {answer.byWorker.slice(0, SHOWN_WORKERS).map((w) => (
              <li key={w.script} class="row">
                <span class="cut">{w.script}</span>
                <span class="grow" />
                <span class="num">{count(w.sent)}</span>
              </li>
            ))}
          </ul>
          {answer.byWorker.length > SHOWN_WORKERS && (
            <p class="small faint">and {answer.byWorker.length - SHOWN_WORKERS} more</p>
          )}
        </div>
      )}
      {answer.examples.length > 0 && (
        <div class="preview-examples">
          <h4 class="small faint">For example</h4>
          <ul>
            {answer.examples.map((e, i) => (
              <li key={i} title={`${full(e.at)} ${e.script}: ${e.text}`}>
                <span class="faint mono">{clock(e.at)}</span>
                <span class="muted cut">{e.script}</span>
                <span class="mono cut">{e.text}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {!answer.exact && (
        <p class="small faint">The last hour was too much to read whole: a part of it was, and counts are scaled.</p>
      )}
    </>
  );
}

/** @param rules undefined while they cannot be read */
export function Preview({ integration, rules }: { integration: string; rules: DestinationRules | undefined }) {
  const wanted = rules === undefined ? undefined : JSON.stringify(rules);
  const [key, setKey] = useState(wanted);
  useEffect(() => {
    if (wanted === undefined) return;
    const timer = setTimeout(() => setKey(wanted), TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  return (
    <section class="preview" aria-labelledby="preview-title" aria-busy={wanted !== key}>
      <h3 id="preview-title">What this would have sent in the last hour</h3>
      {key === undefined ? (
        <p class="small muted">It shows as soon as the rules can be read.</p>
      ) : (
        <Asked integration={integration} rules={key} stale={wanted !== key} />
      )}
    </section>
  );
}

function Asked({ integration, rules, stale }: { integration: string; rules: string; stale: boolean }) {
  const { data, error, loading, reload } = useResource(rules, (signal) =>
    integrationsApi.preview(integration, JSON.parse(rules) as DestinationRules, signal),
  );
  if (error !== undefined)
    return (
      <p class="small" role="status">
        <span class="bad">{error.message}</span>{" "}
        <button type="button" class="link" onClick={reload}>
          Try again
        </button>
      </p>
    );
  return (
    <div class={`preview-found ${stale || loading ? "stale" : ""}`}>
      {data === undefined ? <p class="small muted">Reading the last hour…</p> : <Found answer={data} />}
    </div>
  );
}
