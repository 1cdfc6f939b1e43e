/** State and verdict of a rollout as icon and words: never by colour alone. */
import type { GateResult, RolloutState, Verdict } from "../../../../workers/api/contract.ts";
import { gateWord, STATE_LABELS, STATE_NOTES, STATE_TONES, VERDICT_LABELS, VERDICT_TONES } from "../../lib/rollouts.ts";
import { Icon, type IconName } from "../icons.tsx";
import "../../styles/roll-mark.css";

const STATE_ICONS: Record<RolloutState, IconName> = {
  starting: "clock",
  running: "rollout",
  paused: "pause",
  promoted: "resolved",
  rolled_back: "regressed",
  aborted: "regressed",
  stopped: "ignored",
  failed: "alert",
};
const VERDICT_ICONS: Record<Verdict, IconName> = { worse: "alert", not_worse: "check", unknown: "clock" };

export function StateMark({ state }: { state: RolloutState }) {
  return (
    <b class={`roll-mark ${STATE_TONES[state]}`} title={STATE_NOTES[state]}>
      <Icon name={STATE_ICONS[state]} />
      {STATE_LABELS[state]}
    </b>
  );
}

/** A gate's, which may also be without one. */
export function GateMark({ gate }: { gate: GateResult }) {
  const word = gateWord(gate);
  if (word !== "not_compared" && word !== "too_rare") return <VerdictMark verdict={word} />;
  return (
    <>
      <span class="roll-mark faint">
        <Icon name="ignored" />
        {word === "not_compared" ? "Not compared" : "Too rare"}
      </span>
      <span class="small faint gate-unwaited">no step waits for it</span>
    </>
  );
}

export function VerdictMark({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`roll-mark ${VERDICT_TONES[verdict] || "muted"}`}>
      <Icon name={VERDICT_ICONS[verdict]} />
      {VERDICT_LABELS[verdict]}
    </span>
  );
}
