/** From a judgement to what is wanted: keeps to the policy (`decide/policy.ts`), and to what must never happen whatever it says. */
import type { Judgement } from "../../api/contract.ts";
import type { Evidence, Move } from "../contract.ts";
import { act, clientOf } from "./act.ts";
import type { Line } from "./book.ts";
import type { Desk } from "./desk.ts";
import { readFacts } from "./facts.ts";
import { DECISION_MS, FREE_DECISIONS, MAX_DECISIONS, REFUSED_LOOKS, UNREAD_LOOKS } from "./limits.ts";
import { preflight } from "./preflight.ts";
import { backOff } from "./retry.ts";
import type { Run } from "./run.ts";
import { ended, held, wantStep, wantTakeBack, withReason } from "./transitions.ts";
import { failureText, GUARD, percentText, versionText } from "./words.ts";

export async function decide(desk: Desk, evidence: Evidence, judgement: Judgement): Promise<void> {
  const { book, deps } = desk;
  const run = book.active;
  if (run === null || run.rollout.step < 0 || run.intent?.kind === "take_back") return;
  const move = nextMove(desk, run, evidence, judgement);
  // A step is on its way: only that it must come back is news.
  if (run.intent !== null && move.type !== "take_back") return;
  if (run.rollout.mode === "advise") return advise(desk, run, move, evidence, judgement);
  const lines = decisionLines(run, move, evidence, judgement);
  const noted = {
    ...run,
    decided: decidedBy(run, move, judgement, lines.length),
    named: lines.length > 0 ? namesOf(evidence) : run.named,
  };
  if (move.type === "take_back") {
    book.write(wantTakeBack(noted, "rolled_back", GUARD, move.reason), deps.now(), lines);
    return act(desk);
  }
  const isHeld = move.type === "promote" && run.stepHeld !== "";
  const waits = isHeld ? `${move.reason} The next step waits: ${run.stepHeld}` : move.reason;
  book.write(withReason(noted, waits), deps.now(), lines);
  if (move.type === "promote") await promote(desk, move.step, move.reason);
}

/** Never promoted on missing evidence, whatever the policy says. */
function nextMove({ deps }: Desk, run: Run, { sight }: Evidence, judgement: Judgement): Move {
  const { rollout, stepSince, visibleMs, blind } = run;
  const { plan, step, percent, state } = rollout;
  const situation = { plan, step, percent, stepSince, visibleMs, isPaused: state === "paused" };
  const move = deps.nextMove(situation, judgement, { ...sight, blind: [...blind] });
  if (move.type !== "promote") return move;
  if (blind.length > 0) return { type: "hold", reason: `It waits, because not all can be seen: ${blind[0]}` };
  if (state === "paused") return { type: "hold", reason: `Paused at ${percentText(percent)}.` };
  if (judgement.verdict !== "not_worse") return { type: "hold", reason: judgement.reason };
  if (move.step <= step) throw new Error(`BUG: from step ${step} to ${move.step} is no promotion`);
  return move;
}

/** Somebody else's split: what we would do is said, once per step. */
function advise({ book, deps }: Desk, run: Run, move: Move, evidence: Evidence, judgement: Judgement): void {
  const lines = decisionLines(run, move, evidence, judgement);
  const noted = {
    ...run,
    decided: decidedBy(run, move, judgement, lines.length),
    named: lines.length > 0 ? namesOf(evidence) : run.named,
  };
  const next = percentText(move.type === "promote" ? (run.rollout.plan.steps[move.step]?.percent ?? 100) : 0);
  const advice = {
    hold: move.reason,
    promote: `Advice: go on to ${next}. ${move.reason}`,
    take_back: `Advice: take ${versionText(run.rollout.new)} back. ${move.reason}`,
  }[move.type];
  const told = move.type === "hold" ? [] : [held(run, move.type, advice)];
  book.write(withReason(noted, advice), deps.now(), lines, told);
}

/** Preflight once more; then the step is wanted, and taken. */
async function promote(desk: Desk, step: number, reason: string): Promise<void> {
  const { book, deps } = desk;
  const before = book.active as Run;
  if (before.stepWait > 0) {
    book.write({ ...before, stepWait: before.stepWait - 1 }, deps.now());
    return;
  }
  const refusal = await checkStep(desk);
  const run = book.active;
  if (run === null || run.intent !== null || run.rollout.state === "paused" || run.rollout.step !== before.rollout.step)
    return;
  if (refusal !== null) return;
  book.write(wantStep({ ...run, stepHeld: "" }, step, GUARD, reason), deps.now());
  await act(desk);
}

/** Why no step can be taken now; null when it can. A version that is gone ends the rollout. */
export async function checkStep(desk: Desk): Promise<string | null> {
  const { book, deps, script, self } = desk;
  const { rollout } = book.active as Run;
  const client = await clientOf(desk);
  if (client === null) return book.run?.apiTrouble ?? "";
  const { old, new: next, plan } = rollout;
  const asked = { self, script, wanted: next.id, old: old.id, mode: plan.mode, running: null, phase: "step" } as const;
  const facts = await readFacts(client, { ...asked, telemetry: () => deps.telemetry(script) });
  const run = book.active;
  if (run === null || run.rollout.id !== rollout.id) return "The rollout has ended.";
  if (!facts.ok) {
    const text = failureText(facts);
    book.write(
      withReason(
        { ...run, stepWait: Math.max(backOff(1, facts.retryAfterMs, deps.random()), UNREAD_LOOKS), stepHeld: text },
        `The next step waits: ${text}`,
      ),
      deps.now(),
    );
    return text;
  }
  const findings = preflight(facts.value);
  const refusal = findings.find(({ level }) => level === "refuse");
  if (refusal === undefined) return null;
  const line: Line = { kind: "preflight", actor: GUARD, text: refusal.message, findings };
  if (refusal.code === "not_uploaded") {
    const {
      run: over,
      lines,
      told,
    } = ended(run, "stopped", deps.now(), GUARD, `${refusal.message} Nothing was touched.`);
    book.write(over, deps.now(), [line, ...lines], told);
    return refusal.message;
  }
  const isNews = run.stepHeld !== refusal.message;
  const waiting = withReason(
    { ...run, stepWait: REFUSED_LOOKS, stepHeld: refusal.message },
    `The next step waits: ${refusal.message}`,
  );
  book.write(waiting, deps.now(), isNews ? [line] : [], [held(run, refusal.code, refusal.message)]);
  return refusal.message;
}

/** Which issues a line of the record names, and how well. */
export const namesOf = ({ issues }: Pick<Evidence, "issues">): string =>
  issues.map(({ issue }) => `${issue.id} ${issue.frame} ${issue.isMapped}`).join("\n");

/** Sentences that differ in their numbers alone are of one kind. */
const kindOf = (reason: string) => reason.replaceAll(/[\d.,:]+/g, "#");

const keyOf = (run: Run, move: Move, { verdict }: Judgement) =>
  `${run.rollout.step} ${verdict} ${move.type} ${kindOf(move.reason)}`;

/** At least one line per step, and one for each change; a storm of changes is thinned to one a minute, and ends. */
function decisionLines(run: Run, move: Move, { issues }: Evidence, judgement: Judgement): Line[] {
  const { decided, rollout, visibleMs } = run;
  const isNewStep = decided.step !== rollout.step;
  const isChange = isNewStep || decided.key !== keyOf(run, move, judgement);
  if (!isChange) return [];
  if (move.type === "hold" && !isNewStep) {
    if (decided.total >= MAX_DECISIONS) return [];
    if (decided.inStep >= FREE_DECISIONS && visibleMs - decided.atMs < DECISION_MS) return [];
  }
  return [{ kind: "decision", actor: GUARD, text: move.reason, judgement, issues: issues.map(({ issue }) => issue) }];
}

function decidedBy(run: Run, move: Move, judgement: Judgement, lines: number): Run["decided"] {
  if (lines === 0) return run.decided;
  const { decided, rollout, visibleMs } = run;
  const inStep = decided.step === rollout.step ? decided.inStep + 1 : 1;
  return { key: keyOf(run, move, judgement), step: rollout.step, atMs: visibleMs, inStep, total: decided.total + 1 };
}
