/** What happened, newest first: each decision with what it saw, each action with Cloudflare's answer. */
import { useState } from "preact/hooks";
import type { RolloutAnswer, RolloutEvent } from "../../../../workers/api/contract.ts";
import { clock, day, full } from "../../lib/format.ts";
import { share } from "../../lib/rollouts.ts";
import { Icon, type IconName } from "../icons.tsx";
import { Version } from "../version.tsx";
import { Findings } from "./findings.tsx";
import { GateTable } from "./gates.tsx";
import { VerdictMark } from "./marks.tsx";
import { IssueLines } from "./new-issues.tsx";

const ICONS: Record<RolloutEvent["kind"], IconName> = {
  started: "play",
  preflight: "search",
  decision: "group",
  action: "arrow",
  command: "user",
  notice: "bell",
  ended: "clear",
};
const WORDS: Record<RolloutEvent["kind"], string> = {
  started: "Start",
  preflight: "Preflight",
  decision: "Decision",
  action: "Action",
  command: "Command",
  notice: "Notice",
  ended: "End",
};

function Action({ e }: { e: RolloutEvent }) {
  return (
    <dl class="record-action">
      {e.request !== undefined && (
        <>
          <dt class="faint">Asked for</dt>
          <dd>
            {e.request.versions.map((v) => (
              <span key={v.version} class="record-split">
                <b>{share(v.percent)}</b> <Version id={v.version} />
              </span>
            ))}
            {e.request.expected !== null && <span class="small faint">if deployment {e.request.expected} is live</span>}
          </dd>
        </>
      )}
      {e.answer !== undefined && (
        <>
          <dt class="faint">Cloudflare</dt>
          <dd>
            <span class={e.answer.ok ? "good" : "bad"}>{e.answer.ok ? "Done" : "Not done"}</span>
            {e.answer.status > 0 && `, status ${e.answer.status}`}
            {e.answer.attempts > 1 && `, after ${e.answer.attempts} attempts`}
            {e.answer.message !== undefined && <span>: {e.answer.message}</span>}
            {e.answer.deployment !== undefined && <span class="small faint"> deployment {e.answer.deployment}</span>}
          </dd>
        </>
      )}
    </dl>
  );
}

function Details({ e, answer, now }: { e: RolloutEvent; answer: RolloutAnswer; now: number }) {
  return (
    <div class="record-details">
      {e.judgement !== undefined && e.judgement.gates.length > 0 && (
        <GateTable judgement={e.judgement} rollout={answer.rollout} />
      )}
      {e.issues !== undefined && e.issues.length > 0 && <IssueLines issues={e.issues} now={now} />}
      {(e.request !== undefined || e.answer !== undefined) && <Action e={e} />}
      {e.findings !== undefined && e.findings.length > 0 && <Findings findings={e.findings} />}
    </div>
  );
}

const hasDetails = (e: RolloutEvent): boolean =>
  (e.judgement?.gates.length ?? 0) > 0 ||
  (e.issues?.length ?? 0) > 0 ||
  (e.findings?.length ?? 0) > 0 ||
  e.request !== undefined ||
  e.answer !== undefined;

function Line({ e, showDay }: { e: RolloutEvent; showDay: boolean }) {
  return (
    <>
      <time class="mono faint" dateTime={new Date(e.at).toISOString()} title={full(e.at)}>
        {showDay ? `${day(e.at).slice(5)} ` : ""}
        {clock(e.at)}
      </time>
      <span class={`record-kind ${e.answer?.ok === false ? "bad" : ""}`}>
        <Icon name={ICONS[e.kind]} />
        {WORDS[e.kind]}
      </span>
      <span class="record-text">
        {e.kind === "decision" && e.judgement !== undefined && (
          <span class="small record-verdict">
            <VerdictMark verdict={e.judgement.verdict} />
          </span>
        )}
        {e.text}
      </span>
      <span class="small faint record-actor cut" title={e.actor}>
        {e.actor}
      </span>
    </>
  );
}

/** What it saw is drawn when somebody opens it: two hundred decisions have a table each. */
function Expandable({
  e,
  answer,
  now,
  showDay,
}: {
  e: RolloutEvent;
  answer: RolloutAnswer;
  now: number;
  showDay: boolean;
}) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="record-line">
        <Line e={e} showDay={showDay} />
        <span class="record-more">
          <Icon name="chevron" />
        </span>
      </summary>
      {open && <Details e={e} answer={answer} now={now} />}
    </details>
  );
}

export function Record({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { events } = answer;
  const several = events.length > 0 && day(events[0]?.at ?? 0) !== day(events.at(-1)?.at ?? 0);
  return (
    <section aria-labelledby="record-title">
      <div class="section-head">
        <h2 id="record-title">Record</h2>
        <span class="small faint">
          newest first{(events[0]?.seq ?? 1) > 1 ? "; the export has what came before" : ""}
        </span>
      </div>
      <ol class="record">
        {[...events].reverse().map((e) => (
          <li key={e.seq}>
            {hasDetails(e) ? (
              <Expandable e={e} answer={answer} now={now} showDay={several} />
            ) : (
              <div class="record-line">
                <Line e={e} showDay={several} />
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
