/** The small signs of integrations: whose it is, and how it is going (in words, with a colour beside them). */
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import { CONDITION_LABELS, CONDITION_TONES, type Condition } from "../../lib/integrations.ts";
import { Icon, type IconName } from "../icons.tsx";

export function Mark({ entry, small = false }: { entry: CatalogEntry | undefined; small?: boolean }) {
  return (
    <span
      class={`int-mark ${small ? "small-mark" : ""}`}
      style={{ "--mark": entry?.mark.color ?? "var(--faint)" }}
      aria-hidden="true"
    >
      {entry?.mark.text ?? "?"}
    </span>
  );
}

const ICONS: Record<Condition, IconName> = {
  ok: "check",
  idle: "clock",
  behind: "follow",
  waiting: "regressed",
  failing: "alert",
  attention: "alert",
  paused: "pause",
  standby: "clock",
};

export function ConditionMark({ condition }: { condition: Condition }) {
  return (
    <span class={`int-condition ${CONDITION_TONES[condition] || "muted"}`}>
      <Icon name={ICONS[condition]} />
      {CONDITION_LABELS[condition]}
    </span>
  );
}
