/** Above the fold: is the new version worse, since when, how far are we, and on which line it breaks. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { RolloutAnswer } from "../../../../workers/api/contract.ts";
import { about, count, full, moment, percent, span } from "../../lib/format.ts";
import {
  GATE_ORDER,
  gateWord,
  hasEnded,
  headline,
  isOpen,
  lasted,
  onlyWatches,
  share,
  stepText,
  type Tone,
  verdictSince,
} from "../../lib/rollouts.ts";
import { withRange } from "../../state/location.ts";
import { Icon, type IconName } from "../icons.tsx";
import { VerdictMark } from "./marks.tsx";

const ICONS: Record<Tone, IconName> = { bad: "alert", warn: "alert", good: "check", "": "clock" };

function Fact({ label, children, note }: { label: string; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div>
      <dt class="small faint">{label}</dt>
      <dd>{children}</dd>
      <dd class="small muted">{note ?? " "}</dd>
    </div>
  );
}

/** What the guard says of itself; below it, what it cannot see. */
export function Answer({ answer }: { answer: RolloutAnswer }) {
  const { rollout, blind } = answer;
  const { text, tone } = headline(answer);
  // Also when it ends while one looks: its room is kept.
  const [moves] = useState(!hasEnded(rollout));
  const isBlind = blind.length > 0 && !hasEnded(rollout);
  return (
    <div class={`roll-answer ${tone}`}>
      <Icon name={ICONS[tone]} />
      <div class="grow">
        <p class="roll-headline" role="status">
          {text}
        </p>
        <p class={`muted roll-reason ${moves ? "moving" : ""}`}>{rollout.reason}</p>
        {isBlind && (
          <ul class="roll-blind">
            {blind.map((what) => (
              <li key={what}>{what}</li>
            ))}
            <li class="muted">Until it sees again it holds. This time counts neither as soak nor towards the limit.</li>
          </ul>
        )}
      </div>
    </div>
  );
}

function Worse({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { rollout, judgement, events } = answer;
  const verdict = judgement?.verdict ?? rollout.verdict;
  const at = verdictSince(events, verdict) ?? rollout.startedAt;
  const word = verdict === "unknown" ? "compared" : "known";
  return (
    <Fact
      label="Is it worse?"
      note={
        judgement === null ? (
          "nothing has been compared yet"
        ) : (
          <span title={full(at)}>
            {word} since {moment(at, now)}
            {hasEnded(rollout) ? "" : `, for ${about(Math.max(0, now - at))}`}
          </span>
        )
      }
    >
      <VerdictMark verdict={verdict} />
    </Fact>
  );
}

function HowFar({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { rollout } = answer;
  const ended = hasEnded(rollout);
  const note = ended ? (
    `now it has ${share(rollout.percent)} of the traffic`
  ) : (
    <span title={full(rollout.changedAt)}>since {moment(rollout.changedAt, now)}</span>
  );
  return (
    <Fact label={ended ? "How far it came" : "How far"} note={note}>
      {ended ? (
        stepText(rollout)
      ) : (
        <>
          <b>{share(rollout.percent)}</b> <span class="muted">{stepText(rollout)}</span>
        </>
      )}
    </Fact>
  );
}

/** The gates that hold it, by name. */
function waitsFor({ judgement }: RolloutAnswer): string {
  const [first, ...more] = judgement?.gates.filter(isOpen) ?? [];
  if (first === undefined) return judgement?.verdict === "not_worse" ? "every gate is passed" : "waits for a verdict";
  const name = first.label.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  return `waits for ${name}${more.length > 0 ? `, and ${more.length} more` : ""}`;
}

/** What comes next, when at the earliest, and what it still needs. */
function nextOf(answer: RolloutAnswer): { step?: string; when: string; note: string } {
  const { rollout, soak, blind, judgement } = answer;
  if (rollout.isWatched) return { when: "Nothing by itself", note: "Tailrace says what it would do" };
  if (onlyWatches(rollout)) return { when: "Nothing by itself", note: "the split is yours to change" };
  const next = rollout.plan.steps[rollout.step + 1];
  if (next === undefined) return { when: "Nothing", note: "this was the last step" };
  const step = share(next.percent);
  if (judgement?.verdict === "worse") return { when: "It is taken back", note: "at once" };
  if (rollout.step < 0) return { step, when: "the first step", note: "comes at once" };
  if (rollout.state === "paused") return { step, when: "later", note: "stays until somebody resumes it" };
  if (blind.length > 0) return { step, when: "later", note: "held until the guard sees again" };
  const waits = waitsFor(answer);
  if (soak.ofMs > soak.ms) return { step, when: `in ${span(soak.ofMs - soak.ms)} at the earliest`, note: waits };
  if (judgement?.verdict === "not_worse") return { step, when: "soon", note: waits };
  const left = about(Math.max(0, soak.limitMs - soak.ms));
  return { step, when: "when it is known", note: `${waits}; without a verdict taken back in ${left}` };
}

function Next({ answer }: { answer: RolloutAnswer }) {
  if (hasEnded(answer.rollout)) return null;
  const { step, when, note } = nextOf(answer);
  return (
    <Fact label="Next" note={note}>
      {step !== undefined && <b>{step} </b>}
      <span class={step === undefined ? "" : "muted"}>{when}</span>
    </Fact>
  );
}

/** Of all that is compared by its error rate, what looks worst: how bad it is, at a glance. */
function Rates({ answer }: { answer: RolloutAnswer }) {
  const gate = answer.judgement?.gates
    .filter((g) => g.kind === "errors" && g.new.n > 0)
    .sort((a, b) => GATE_ORDER[gateWord(a)] - GATE_ORDER[gateWord(b)] || b.new.n - a.new.n)[0];
  if (gate === undefined)
    return (
      <Fact label="Error rate, new against old" note="nothing has been compared yet">
        –
      </Fact>
    );
  return (
    <Fact label={`${gate.label}, new against old`} note={`of ${count(gate.new.n)} and ${count(gate.old.n)}`}>
      <b class={gate.verdict === "worse" ? "bad" : ""}>{percent(gate.new.value)}</b>{" "}
      <span class="muted">against {percent(gate.old.value)}</span>
    </Fact>
  );
}

function BreaksAt({ answer }: { answer: RolloutAnswer }) {
  const [worst] = [...answer.issues].sort((a, b) => b.count - a.count);
  if (worst === undefined)
    return (
      <Fact
        label="New issues"
        note={
          hasEnded(answer.rollout)
            ? "it brought no error that was not there before"
            : "none so far that the old one does not have"
        }
      >
        None
      </Fact>
    );
  const place = worst.frame ?? worst.title;
  return (
    <Fact
      label={(answer.judgement ?? answer.rollout).verdict === "worse" ? "Breaks at" : "New issue"}
      note={
        <a class="link" href={withRange(`/issues/${worst.id}`)}>
          {worst.type || "Issue"} #{worst.id}
          {answer.issues.length > 1 ? `, and ${answer.issues.length - 1} more new` : ""}
        </a>
      }
    >
      <span class="mono roll-place" title={place}>
        {place}
      </span>
    </Fact>
  );
}

function Who({ answer, now }: { answer: RolloutAnswer; now: number }) {
  const { rollout } = answer;
  return (
    <Fact
      label="Started"
      note={
        <span class="cut">
          {rollout.isWatched ? "noticed by Tailrace" : `by ${rollout.startedBy}`}, {hasEnded(rollout) ? "took" : "runs"}{" "}
          {about(lasted(rollout, now))}
        </span>
      }
    >
      <span title={full(rollout.startedAt)}>{moment(rollout.startedAt, now)}</span>
    </Fact>
  );
}

export function Facts({ answer, now }: { answer: RolloutAnswer; now: number }) {
  return (
    <dl class="roll-facts">
      <Worse answer={answer} now={now} />
      <HowFar answer={answer} now={now} />
      <Next answer={answer} />
      <Rates answer={answer} />
      <BreaksAt answer={answer} />
      <Who answer={answer} now={now} />
    </dl>
  );
}
