/** The steps of a plan as a rail: what is done, where it is and how far through its soak, what would come. */
import type { RolloutAnswer } from "../../../../workers/api/contract.ts";
import { span } from "../../lib/format.ts";
import { hasEnded, minutes, share } from "../../lib/rollouts.ts";
import { Icon, type IconName } from "../icons.tsx";

type StepState = "done" | "here" | "back" | "ahead";

const ICONS: Partial<Record<StepState, IconName>> = { done: "check", back: "regressed" };
const WORDS: Record<StepState, string> = { done: "done", here: "now", back: "ended here", ahead: "not reached" };

function stateOf(i: number, { rollout }: RolloutAnswer): StepState {
  if (i < rollout.step || rollout.state === "promoted") return "done";
  if (i > rollout.step) return "ahead";
  return hasEnded(rollout) ? "back" : "here";
}

function noteOf(i: number, state: StepState, answer: RolloutAnswer): string {
  const { rollout, soak } = answer;
  const step = rollout.plan.steps[i];
  const isLast = i === rollout.plan.steps.length - 1;
  if (state === "here" && soak.ofMs > 0)
    return soak.ms >= soak.ofMs ? `${span(soak.ms)}, soaked` : `${span(soak.ms)} of ${span(soak.ofMs)}`;
  if (state === "back") return `${span(soak.ms)} here`;
  if (isLast) return "all of it";
  return step === undefined || step.soakMinutes === 0 ? "at once" : minutes(step.soakMinutes);
}

function fillOf(state: StepState, { soak }: RolloutAnswer): number {
  if (state === "done") return 1;
  if (state === "ahead") return 0;
  return soak.ofMs > 0 ? Math.min(1, soak.ms / soak.ofMs) : 1;
}

export function Rail({ answer }: { answer: RolloutAnswer }) {
  const { steps } = answer.rollout.plan;
  return (
    <ol class="rail" aria-label="Steps">
      {steps.map((step, i) => {
        const state = stateOf(i, answer);
        const icon = ICONS[state];
        return (
          <li key={`${step.percent}`} class={`rail-step ${state}`} aria-current={state === "here" ? "step" : undefined}>
            <span class="rail-track">
              <span style={{ width: `${fillOf(state, answer) * 100}%` }} />
            </span>
            <span class="rail-name">
              {icon !== undefined && <Icon name={icon} />}
              <b>{share(step.percent)}</b>
              <span class="sr">, {WORDS[state]}, </span>
            </span>
            <span class="small rail-note">{noteOf(i, state, answer)}</span>
          </li>
        );
      })}
    </ol>
  );
}
