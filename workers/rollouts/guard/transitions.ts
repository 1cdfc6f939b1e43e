/** What a rollout becomes, and what is said of it. Pure: no waiting, no stores; `book.ts` writes what comes out. */
import type { RolloutState } from "../../api/contract.ts";
import type { Deployment } from "../../cloudflare/contract.ts";
import type { Line, Told } from "./book.ts";
import { AFTERCARE_LOOKS } from "./limits.ts";
import { type Intent, isEnded, isSameSplit, percentOf, type Run, stepAt, stepVersions } from "./run.ts";
import { deployedText, GUARD, percentText, SOMEBODY, splitText, versionText } from "./words.ts";

export interface Change {
  run: Run;
  lines: Line[];
  told: Told[];
}

const change = (run: Run, lines: Line[] = [], told: Told[] = []): Change => ({ run, lines, told });
const MINUTE_MS = 60_000;
const minuteOf = (now: number) => Math.floor(now / MINUTE_MS) * 60;

/** Another sentence; when it stays the same, so does all. */
export function withReason(run: Run, reason: string): Run {
  return run.rollout.reason === reason ? run : { ...run, rollout: { ...run.rollout, reason } };
}

type Wish = Pick<Intent, "kind" | "step" | "versions" | "end" | "actor" | "reason">;

/** In place of what was wanted before: should that be under way, it may still come. */
function want(run: Run, wish: Wish): Run {
  const seq = run.seq + 1;
  const intent: Intent = { ...wish, seq, posts: 0, unsure: null, failures: 0, wait: 0, trouble: "" };
  const next = { ...run, seq, intent, hasLoose: run.hasLoose || (run.intent !== null && run.intent.unsure !== null) };
  return withReason(next, wish.reason);
}

export function wantStep(run: Run, step: number, actor: string, reason: string): Run {
  const { rollout } = run;
  const { percent } = rollout.plan.steps[step] ?? { percent: 0 };
  if (percent <= 0) throw new Error(`BUG: the plan of rollout ${rollout.id} has no step ${step}`);
  const end = percent >= 100 ? "promoted" : null;
  return want(run, { kind: "step", step, versions: stepVersions(rollout, percent), end, actor, reason });
}

export function wantTakeBack(run: Run, end: "rolled_back" | "aborted" | "failed", actor: string, reason: string): Run {
  return want(run, { kind: "take_back", step: -1, versions: stepVersions(run.rollout, 0), end, actor, reason });
}

/** Given up; what was asked for may still come. */
export function dropIntent(run: Run, stepWait: number, stepHeld: string): Run {
  const isLoose = run.intent !== null && run.intent.unsure !== null;
  return { ...run, intent: null, stepWait, stepHeld, hasLoose: run.hasLoose || isLoose };
}

/** Known by now: what `deployment` says is live. */
function goneLive(run: Run, deployment: Deployment, now: number): Run {
  const percent = percentOf(deployment.versions, run.rollout.new.id);
  const isNew = deployment.id !== run.expected;
  const past = isNew ? [...run.past, run.expected].slice(-MAX_PAST) : run.past;
  const isChanged = percent !== run.rollout.percent;
  const rollout = { ...run.rollout, percent, changedAt: isChanged ? now : run.rollout.changedAt };
  return { ...run, rollout, expected: deployment.id, past, apiTrouble: "", missing: 0 };
}
/** More than any plan has steps, so that none of them is forgotten while it runs. */
const MAX_PAST = 60;

function atStep(run: Run, step: number, now: number): Run {
  const state: RolloutState = run.rollout.state === "starting" ? "running" : run.rollout.state;
  const rollout = { ...run.rollout, state, step, changedAt: now };
  return {
    ...run,
    rollout,
    stepSince: minuteOf(now),
    visibleMs: 0,
    lookedAt: now,
    stepWait: 0,
    stepHeld: "",
    stepFailures: 0,
    dark: 0,
  };
}

/** What was wanted is live, as Cloudflare itself says. */
export function reached(run: Run, intent: Intent, deployment: Deployment, now: number): Change {
  const live = { ...goneLive(run, deployment, now), intent: null };
  const { old, new: next, percent } = live.rollout;
  const what =
    intent.kind === "take_back"
      ? isSameSplit(deployment.versions, stepVersions(live.rollout, 0))
        ? `${versionText(old)} has all of the traffic`
        : `Live is ${splitText(deployment.versions)}`
      : `${versionText(next)} has ${percentText(percent)} of the traffic`;
  const line: Line = {
    kind: "action",
    actor: intent.actor,
    text: `${what}: deployment ${deployment.id}.`,
  };
  if (isEnded(run)) return change(live, [line]);
  if (intent.end !== null) {
    if (intent.kind === "step") live.rollout = { ...live.rollout, step: intent.step };
    const { run: over, lines, told } = ended(live, intent.end, now, intent.actor, intent.reason, OUTCOMES[intent.end]);
    return change(over, [line, ...lines], told);
  }
  return change(withReason(atStep(live, intent.step, now), `${percentText(percent)} is live. ${intent.reason}`), [
    line,
  ]);
}

/**
 * Ours replaced a deployment of somebody else, made between our reading and our
 * writing. They acted, so this rollout ends. What gave the new version no more
 * than ours does is put back first: that fights nobody, it undoes our own doing.
 */
export function replaced(run: Run, deployment: Deployment, lost: Deployment, now: number): Change {
  const { intent } = run;
  const live = { ...goneLive(run, deployment, now), intent: null };
  const said = `Between our reading and our writing ${deployedText(lost)}; ours replaced it.`;
  const notice: Line = { kind: "notice", actor: GUARD, text: said };
  const told: Told = { kind: "rollout.stopped", occasion: "replaced", title: said };
  const isSame = isSameSplit(lost.versions, deployment.versions);
  if (!isSame && percentOf(lost.versions, run.rollout.new.id) <= live.rollout.percent) {
    const end = isEnded(run) ? run.rollout.state : "stopped";
    const reason = `${said} Theirs is put back, and the rollout ends.`;
    const wish = { kind: "take_back", step: -1, versions: lost.versions, end, actor: GUARD, reason } as const;
    return change(want(live, wish), [notice], [told]);
  }
  if (intent?.kind === "take_back" && isSameSplit(deployment.versions, intent.versions)) {
    const done = reached(run, intent, deployment, now);
    return change(done.run, [notice, ...done.lines], [told, ...done.told]);
  }
  const over = ended(live, "stopped", now, SOMEBODY, `${said} The rollout stopped, and touches nothing more.`);
  return change(over.run, [notice, ...over.lines], over.told);
}

/** One of our deployments that we had given up shows after all. */
export function cameLate(run: Run, deployment: Deployment, now: number): Change {
  const live = goneLive(run, deployment, now);
  const { percent } = live.rollout;
  const text = `A deployment that Cloudflare had not confirmed came late: ${percentText(percent)} of the traffic, deployment ${deployment.id}.`;
  const line: Line = { kind: "notice", actor: "guard", text };
  if (isEnded(run)) return change(live, [line]);
  return change(withReason(atStep(live, Math.max(stepAt(live.rollout, percent), 0), now), text), [line]);
}

/** Somebody else changed the percentages of the same two versions, of a split that is only watched. */
export function followed(run: Run, deployment: Deployment, now: number): Change {
  const live = goneLive(run, deployment, now);
  const { percent } = live.rollout;
  const text = `${deployedText(deployment)}.`;
  return change(withReason(atStep(live, stepAt(live.rollout, percent), now), text), [
    { kind: "notice", actor: SOMEBODY, text },
  ]);
}

const KINDS = { promoted: "rollout.promoted", rolled_back: "rollout.rolled_back" } as const;

/** For the record, where the line before says why. */
const OUTCOMES: Partial<Record<RolloutState, string>> = {
  promoted: "Promoted.",
  rolled_back: "Rolled back.",
  aborted: "Aborted.",
};

/** @param text of the record's last line, where that is not the reason */
export function ended(
  run: Run,
  state: RolloutState,
  now: number,
  actor: string,
  reason: string,
  text = reason,
): Change {
  // What is found after the end changes no outcome; there is nothing left to look out for.
  if (isEnded(run)) return change({ ...run, intent: null, hasLoose: false }, [{ kind: "notice", actor, text }]);
  const rollout = { ...run.rollout, state, reason, endedAt: now, changedAt: now };
  const over: Run = { ...run, rollout, intent: null, stepHeld: "", blind: [], dark: 0, aftercare: AFTERCARE_LOOKS };
  const kind = state === "promoted" || state === "rolled_back" ? KINDS[state] : "rollout.stopped";
  return change(over, [{ kind: "ended", actor, text }], [{ kind, occasion: "end", title: reason }]);
}

/** A human acted: stop, keep what was seen, touch nothing. */
export function somebodyActed(run: Run, deployment: Deployment, now: number): Change {
  const { rollout } = run;
  const live = { ...run, rollout: { ...rollout, percent: percentOf(deployment.versions, rollout.new.id) } };
  const state = watchedEnd(run, deployment) ?? "stopped";
  const what = `${deployedText(deployment)}.`;
  const outcome = {
    promoted: "The new version has all of the traffic.",
    aborted: "The old version has all of the traffic again.",
    stopped: "This rollout stopped where it was and touched nothing more.",
  }[state];
  return ended(live, state, now, SOMEBODY, `${what} ${outcome}`);
}

/** How a split that we only watch ends: with one of its versions. */
function watchedEnd({ rollout }: Run, { versions }: Deployment): "promoted" | "aborted" | undefined {
  if (rollout.mode !== "advise") return undefined;
  if (percentOf(versions, rollout.new.id) >= 100) return "promoted";
  if (percentOf(versions, rollout.old.id) >= 100) return "aborted";
  return undefined;
}

/** Somebody is told once per step and kind of trouble that the rollout waits. */
export function held(run: Run, about: string, title: string): Told {
  return { kind: "rollout.held", occasion: `held ${run.rollout.step} ${about}`, title };
}
