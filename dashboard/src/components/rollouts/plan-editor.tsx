/** A plan, editable: steps with their soak times, which gates are asked, limits, and whether Tailrace acts or only says. */
import type { ComponentChildren } from "preact";
import type { Draft } from "../../lib/rollout-draft.ts";
import { Icon } from "../icons.tsx";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

interface NumberProps {
  value: string;
  label: string;
  unit: string;
  onInput: (value: string) => void;
  disabled?: boolean;
}

function NumberInput({ value, label, unit, onInput, disabled = false }: NumberProps) {
  return (
    <span class="plan-number">
      <input
        class="input num"
        inputMode="decimal"
        aria-label={label}
        value={value}
        disabled={disabled}
        onInput={(e) => onInput(e.currentTarget.value)}
      />
      {unit !== "" && <span class="small muted">{unit}</span>}
    </span>
  );
}

function Steps({ draft, onChange }: Props) {
  const { steps } = draft;
  const set = (i: number, part: Partial<Draft["steps"][number]>) =>
    onChange({ ...draft, steps: steps.map((s, k) => (k === i ? { ...s, ...part } : s)) });
  const remove = (i: number) => onChange({ ...draft, steps: steps.filter((_, k) => k !== i) });
  /** Before the last one, which stays 100 %: half-way between its neighbours. */
  const add = () => {
    const at = Math.max(0, steps.length - 1);
    const low = Number(steps[at - 1]?.percent ?? 0) || 0;
    const high = Number(steps[at]?.percent ?? 100) || 100;
    const step = { percent: String(Number(((low + high) / 2).toFixed(1))), soak: steps[at - 1]?.soak ?? "10" };
    onChange({ ...draft, steps: [...steps.slice(0, at), step, ...steps.slice(at)] });
  };
  return (
    <fieldset class="plan-steps">
      <legend>Steps</legend>
      <ol>
        {steps.map((s, i) => {
          const isLast = i === steps.length - 1;
          return (
            <li key={i}>
              <NumberInput
                value={s.percent}
                label={`Step ${i + 1}, percentage`}
                unit="%"
                onInput={(percent) => set(i, { percent })}
              />
              {isLast ? (
                <span class="small muted plan-end">reaching it ends the rollout</span>
              ) : (
                <NumberInput
                  value={s.soak}
                  label={`Step ${i + 1}, minutes`}
                  unit="min at least"
                  onInput={(soak) => set(i, { soak })}
                />
              )}
              {!isLast && (
                <button type="button" class="icon-btn" aria-label={`Remove step ${i + 1}`} onClick={() => remove(i)}>
                  <Icon name="close" />
                </button>
              )}
            </li>
          );
        })}
      </ol>
      <button type="button" class="btn quiet" onClick={add}>
        <Icon name="plus" />
        Add a step
      </button>
    </fieldset>
  );
}

function Gate({
  label,
  on,
  onToggle,
  children,
}: {
  label: string;
  on: boolean;
  onToggle: (on: boolean) => void;
  children: ComponentChildren;
}) {
  return (
    <li class="plan-gate">
      <label class="check">
        <input type="checkbox" checked={on} onChange={(e) => onToggle(e.currentTarget.checked)} />
        {label}
      </label>
      <span class={`plan-gate-values ${on ? "" : "off"}`}>{children}</span>
    </li>
  );
}

function Quantile({ of, label, draft, onChange }: Props & { of: "duration" | "cpu"; label: string }) {
  const gate = draft[of];
  const set = (part: Partial<typeof gate>) => onChange({ ...draft, [of]: { ...gate, ...part } });
  return (
    <Gate label={label} on={gate.on} onToggle={(on) => set({ on })}>
      <NumberInput
        value={gate.tolerance}
        label={`${label}, tolerance`}
        unit="% slower and"
        disabled={!gate.on}
        onInput={(tolerance) => set({ tolerance })}
      />
      <NumberInput
        value={gate.minMs}
        label={`${label}, ms`}
        unit="ms"
        disabled={!gate.on}
        onInput={(minMs) => set({ minMs })}
      />
    </Gate>
  );
}

function Queries({ draft, onChange }: Props) {
  const { queries } = draft;
  const set = (i: number, part: Partial<Draft["queries"][number]>) =>
    onChange({ ...draft, queries: queries.map((q, k) => (k === i ? { ...q, ...part } : q)) });
  return (
    <>
      {queries.map((q, i) => (
        <li key={i} class="plan-query">
          <input
            class="input"
            aria-label={`Query ${i + 1}, name`}
            placeholder="Name"
            value={q.name}
            onInput={(e) => set(i, { name: e.currentTarget.value })}
          />
          <input
            class="input mono"
            aria-label={`Query ${i + 1}, filter`}
            placeholder='level:error "card declined"'
            value={q.filter}
            onInput={(e) => set(i, { filter: e.currentTarget.value })}
          />
          <NumberInput
            value={q.effect}
            label={`Query ${i + 1}, points`}
            unit="points"
            onInput={(effect) => set(i, { effect })}
          />
          <button
            type="button"
            class="icon-btn"
            aria-label={`Remove query ${i + 1}`}
            onClick={() => onChange({ ...draft, queries: queries.filter((_, k) => k !== i) })}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          class="btn quiet"
          onClick={() => onChange({ ...draft, queries: [...queries, { name: "", filter: "", effect: "0.5" }] })}
        >
          <Icon name="plus" />
          Compare a query of your own
        </button>
      </li>
    </>
  );
}

function Gates({ draft, onChange }: Props) {
  return (
    <fieldset>
      <legend>It is worse when, beyond chance,</legend>
      <ul class="plan-gates">
        <Gate
          label="its error rate is higher by"
          on={draft.errors.on}
          onToggle={(on) => onChange({ ...draft, errors: { ...draft.errors, on } })}
        >
          <NumberInput
            value={draft.errors.effect}
            label="Error rate, points"
            unit="points or more"
            disabled={!draft.errors.on}
            onInput={(effect) => onChange({ ...draft, errors: { ...draft.errors, effect } })}
          />
        </Gate>
        <Quantile of="duration" label="its p99 duration is" draft={draft} onChange={onChange} />
        <Quantile of="cpu" label="its p99 CPU time is" draft={draft} onChange={onChange} />
        <Gate
          label="it brings new issues, more than"
          on={draft.issues.on}
          onToggle={(on) => onChange({ ...draft, issues: { ...draft.issues, on } })}
        >
          <NumberInput
            value={draft.issues.max}
            label="New issues tolerated"
            unit=""
            disabled={!draft.issues.on}
            onInput={(max) => onChange({ ...draft, issues: { ...draft.issues, max } })}
          />
        </Gate>
        <Queries draft={draft} onChange={onChange} />
      </ul>
    </fieldset>
  );
}

export function PlanEditor({ draft, onChange }: Props) {
  return (
    <div class="plan">
      <Steps draft={draft} onChange={onChange} />
      <div class="plan-right">
        <Gates draft={draft} onChange={onChange} />
        <fieldset>
          <legend>Limits</legend>
          <ul class="plan-gates">
            <li class="plan-gate">
              <span>Invocations on each version before a verdict</span>
              <NumberInput
                value={draft.minSamples}
                label="Least invocations"
                unit=""
                onInput={(minSamples) => onChange({ ...draft, minSamples })}
              />
            </li>
            <li class="plan-gate">
              <span>Taken back when a step has no verdict after</span>
              <NumberInput
                value={draft.limit}
                label="Time limit"
                unit="min"
                onInput={(limit) => onChange({ ...draft, limit })}
              />
            </li>
          </ul>
        </fieldset>
      </div>
    </div>
  );
}
