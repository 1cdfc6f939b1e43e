/** Per Worker: how long events are kept, what is sampled, and from when on an invocation is slow. */
import { useEffect, useState } from "preact/hooks";
import type { SamplingRule, WorkerSettings } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { navigate, query } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";
import { Icon } from "../icons.tsx";
import { ErrorState, Progress } from "../states.tsx";
import { Field, SaveRow, useSaving } from "./form.tsx";

/** Workers seen in this time can be chosen. */
const KNOWN_RANGE = { from: "-30d", to: "now" };
const RULE_FIELDS: [keyof Omit<SamplingRule, "rate">, string, string][] = [
  ["route", "Route", "/health*"],
  ["outcome", "Outcome", "ok"],
  ["statusClass", "Status", "2xx"],
  ["version", "Version", "id"],
  ["eventType", "Event type", "fetch"],
];

function Rule({
  rule,
  onChange,
  onRemove,
}: {
  rule: SamplingRule;
  onChange: (r: SamplingRule) => void;
  onRemove: () => void;
}) {
  return (
    <li class="rule">
      {RULE_FIELDS.map(([key, label, example]) => (
        <input
          key={key}
          class="input"
          aria-label={label}
          placeholder={`${label}: ${example}`}
          value={rule[key] ?? ""}
          onInput={(e) =>
            onChange({ ...rule, [key]: e.currentTarget.value === "" ? undefined : e.currentTarget.value })
          }
        />
      ))}
      <span class="rule-rate">
        <input
          class="input num"
          type="number"
          aria-label="Keep, percent"
          min="0.01"
          max="100"
          step="any"
          required
          value={String(Number((rule.rate * 100).toPrecision(6)))}
          onInput={(e) => onChange({ ...rule, rate: Number(e.currentTarget.value) / 100 })}
        />
        % kept
      </span>
      <button type="button" class="icon-btn" aria-label="Remove this rule" onClick={onRemove}>
        <Icon name="close" />
      </button>
    </li>
  );
}

const asNumber = (text: string): number | undefined => (text === "" ? undefined : Number(text));

function Editor({ script, initial }: { script: string; initial: WorkerSettings }) {
  const [draft, setDraft] = useState(initial);
  const saving = useSaving();
  const change = (part: Partial<WorkerSettings>) => {
    setDraft((d) => ({ ...d, ...part }));
    saving.touch();
  };
  const rules = draft.sampling ?? [];
  const setRule = (i: number, rule: SamplingRule | undefined) =>
    change({
      sampling: rule === undefined ? rules.filter((_, k) => k !== i) : rules.map((r, k) => (k === i ? rule : r)),
    });
  const submit = (event: Event) => {
    event.preventDefault();
    void saving.save(() => api.saveWorkerSettings(script, draft));
  };
  return (
    <form onSubmit={submit} class="form">
      <div class="form-row">
        <Field label="Keep events for, days" hint="Then a daily job deletes them. Default 30.">
          <input
            class="input"
            type="number"
            min="1"
            max="3650"
            placeholder="30"
            value={draft.retentionDays ?? ""}
            onInput={(e) => change({ retentionDays: asNumber(e.currentTarget.value) })}
          />
        </Field>
        <Field label="Slow from, ms" hint="Slower invocations are always kept. Empty: no limit is set.">
          <input
            class="input"
            type="number"
            min="1"
            placeholder="none"
            value={draft.slowMs ?? ""}
            onInput={(e) => change({ slowMs: asNumber(e.currentTarget.value) })}
          />
        </Field>
        <Field label="Invocations per minute" hint="Beyond it they are dropped and counted.">
          <input
            class="input"
            type="number"
            min="1"
            placeholder="300000"
            value={draft.ratePerMinute ?? ""}
            onInput={(e) => change({ ratePerMinute: asNumber(e.currentTarget.value) })}
          />
        </Field>
      </div>
      <Field label="Canary versions" hint="Ids, separated by blanks. Kept whole, whatever the rules say.">
        <input
          class="input mono"
          value={(draft.canaryVersions ?? []).join(" ")}
          onInput={(e) => change({ canaryVersions: e.currentTarget.value.split(/[\s,]+/).filter((v) => v !== "") })}
        />
      </Field>
      <h2>Sampling rules</h2>
      <p class="small muted">
        The first rule that matches decides; an empty field matches anything. Errors, slow invocations and canary
        versions are kept before any rule is asked, and counts stay right: what is kept stands for what is not.
      </p>
      <ol class="rules">
        {rules.map((rule, i) => (
          <Rule key={i} rule={rule} onChange={(r) => setRule(i, r)} onRemove={() => setRule(i, undefined)} />
        ))}
      </ol>
      <button type="button" class="btn" onClick={() => change({ sampling: [...rules, { rate: 0.1 }] })}>
        <Icon name="plus" />
        Add a rule
      </button>
      <SaveRow saving={saving} />
    </form>
  );
}

function Loader({ script }: { script: string }) {
  const { data, error, loading, fresh, reload } = useResource(script, () => api.workerSettings(script));
  if (error !== undefined && data === undefined) return <ErrorState failure={error} retry={reload} />;
  return (
    <>
      <Progress show={loading} />
      {data !== undefined && fresh && <Editor key={script} script={script} initial={data} />}
    </>
  );
}

export function Keeping() {
  const workers = useResource("workers", (signal) => api.overview(KNOWN_RANGE, signal));
  const names = workers.data?.workers.map((w) => w.script).sort() ?? [];
  const chosen = query.value.script ?? names[0] ?? "";
  const options = chosen === "" || names.includes(chosen) ? names : [chosen, ...names];
  useEffect(() => {
    if (query.value.script === undefined && chosen !== "")
      navigate(`/settings/workers?script=${encodeURIComponent(chosen)}`, true);
  }, [chosen]);
  if (workers.error !== undefined && options.length === 0)
    return <ErrorState failure={workers.error} retry={workers.reload} />;
  if (workers.data !== undefined && options.length === 0)
    return <p class="muted">No Worker has been seen yet. Its settings appear here after its first request.</p>;
  return (
    <section>
      <Progress show={workers.loading && workers.data === undefined} />
      <div class="form-row">
        <Field label="Worker">
          <select
            class="input"
            value={chosen}
            onChange={(e) => navigate(`/settings/workers?script=${encodeURIComponent(e.currentTarget.value)}`)}
          >
            {options.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
      </div>
      {chosen !== "" && <Loader script={chosen} />}
    </section>
  );
}
