/** The state and the kind of an issue, as icon and words: never by colour alone. */
import type { IssueKind, IssueState } from "../../../../workers/api/contract.ts";
import { KIND_LABELS, noiseLabel, STATE_LABELS } from "../../lib/issues.ts";
import { Icon, type IconName } from "../icons.tsx";

const ICONS: Record<IssueState, IconName> = {
  unresolved: "open",
  regressed: "regressed",
  resolved: "resolved",
  ignored: "ignored",
};
const TONES: Record<IssueState, string> = { unresolved: "warn", regressed: "bad", resolved: "good", ignored: "faint" };

export function StateIcon({ state }: { state: IssueState }) {
  return (
    <span class={`issue-state ${TONES[state]}`} title={STATE_LABELS[state]}>
      <Icon name={ICONS[state]} />
      <span class="sr">{STATE_LABELS[state]}</span>
    </span>
  );
}

export function StateName({ state }: { state: IssueState }) {
  return (
    <b class={`issue-state-name ${TONES[state]}`}>
      <Icon name={ICONS[state]} />
      {STATE_LABELS[state]}
    </b>
  );
}

export function KindMark({ kind, noise }: { kind: IssueKind; noise: string }) {
  const { short, long } = KIND_LABELS[kind];
  const more = noise === "" ? "" : noiseLabel(noise);
  return (
    <span class={`kind-mark kind-${kind}`} title={more === "" ? long : `${long}: ${more}`}>
      {more || short}
    </span>
  );
}
