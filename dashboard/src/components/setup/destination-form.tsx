/**
 * Setting up a destination, or changing one: fill in, test, choose what and how
 * much, say what happens on a bad day, enable. All on one page, in this order;
 * what is wrong is said at its field, and the first such field gets the focus.
 */
import { useMemo, useState } from "preact/hooks";
import type { CatalogEntry, DestinationRow, DestinationState } from "../../../../workers/api/contract.ts";
import { integrationsApi } from "../../api/integrations.ts";
import { type Draft, draftOf, isChanged, readDraft, readRules, readValues } from "../../lib/destination-draft.ts";
import { freeName } from "../../lib/integrations.ts";
import { madeSecrets } from "../../lib/made-secret.ts";
import { act, mayChange, useKnownWorkers } from "../../state/integrations.ts";
import { letGo, useUnsaved } from "../../state/leaving.ts";
import { navigate } from "../../state/location.ts";
import { asFailure } from "../../state/resource.ts";
import { hrefOf } from "../integrations/destination-table.tsx";
import { LeaveDialog } from "../leave-dialog.tsx";
import { ConnectStep, testedNow } from "./connect-step.tsx";
import { BackfillChoice, FailoverChoice } from "./delivery-choice.tsx";
import { FeedsChoice } from "./feeds-choice.tsx";
import { atFields, problemsOf, useProblems } from "./form-problems.ts";
import { NamesInput } from "./names-input.tsx";
import { Preview } from "./preview.tsx";
import { Sampling, Tags } from "./sampling.tsx";
import { Step } from "./step.tsx";
import { useTest } from "./test-panel.tsx";
import { WorkersChoice } from "./workers-choice.tsx";

interface Props {
  entry: CatalogEntry;
  /** Of one that is changed. */
  row?: DestinationRow;
  others: DestinationRow[];
  catalog: ReadonlyMap<string, CatalogEntry>;
}

/** Anything of that step is wrong. */
const among = (problems: Record<string, string>, prefixes: readonly string[]): boolean =>
  Object.keys(problems).some((where) => prefixes.some((p) => where === p || where.startsWith(`${p}.`)));

export function DestinationForm({ entry, row, others, catalog }: Props) {
  const first = useMemo(() => {
    const names = others.map((o) => o.name);
    const made = draftOf(entry, freeName(entry.name, names), row);
    return row === undefined ? { ...made, values: { ...made.values, ...madeSecrets(entry.fields) } } : made;
  }, []);
  const [draft, setDraft] = useState<Draft>(first);
  const [saving, setSaving] = useState<DestinationState>();
  const [failure, setFailure] = useState<string>();
  const { problems, show, clear } = useProblems();
  const testing = useTest();
  const known = useKnownWorkers();
  const stored = row?.secretsSet ?? [];
  useUnsaved(saving === undefined && isChanged(first, draft));

  const change = (part: Partial<Draft>) => {
    setDraft((d) => ({ ...d, ...part }));
    setFailure(undefined);
    for (const where of Object.keys(part)) clear(where);
    if (part.allWorkers !== undefined) clear("workers");
  };
  const setValue = (name: string, value: string) => {
    setDraft((d) => ({ ...d, values: { ...d.values, [name]: value } }));
    setFailure(undefined);
    clear(`values.${name}`);
  };

  const { value: values } = readValues(entry.fields, draft.values, stored, draft.removed);
  const rules = readRules(draft);
  const test = async () => {
    const read = readValues(entry.fields, draft.values, stored, draft.removed);
    if (Object.keys(read.problems).length > 0) return show(read.problems);
    const answer = await testing.run({
      ...(row === undefined ? {} : { id: row.id }),
      integration: entry.id,
      values: read.value,
    });
    if (answer?.problems !== undefined) show(atFields(entry, answer.problems));
  };

  const save = async (state: DestinationState) => {
    const read = readDraft(entry, draft, stored, Date.now());
    if (Object.keys(read.problems).length > 0) return show(read.problems);
    setSaving(state);
    const { integration, backfillFrom, ...rest } = read.value;
    const done = await act(
      row !== undefined
        ? `Saved: ${rest.name}`
        : state === "paused"
          ? `Stored, paused: ${rest.name}`
          : `Enabled: ${rest.name}`,
      async () => {
        try {
          const { destination } =
            row === undefined
              ? await integrationsApi.create({ ...rest, integration, backfillFrom, state })
              : await integrationsApi.change(row.id, { ...rest, state });
          letGo();
          navigate(hrefOf(destination), true);
        } catch (error) {
          const said = asFailure(error);
          show(problemsOf(entry, said));
          setFailure(said.message);
          throw error;
        }
      },
    );
    if (!done) setSaving(undefined);
  };

  const tested = testedNow(testing, values);
  const isAdmin = mayChange();
  const busy = saving !== undefined;
  return (
    <form
      class="setup-form"
      autocomplete="off"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void save(row?.state ?? "enabled");
      }}
    >
      <ConnectStep
        entry={entry}
        name={draft.name}
        onName={(name) => change({ name })}
        values={draft.values}
        onInput={setValue}
        problems={problems}
        stored={stored}
        removed={draft.removed}
        onRemove={(name, on) =>
          change({ removed: on ? [...draft.removed, name] : draft.removed.filter((r) => r !== name) })
        }
        testing={testing}
        ready={values}
        onTest={() => void test()}
      />
      <Step n={2} title="Choose what" state={among(problems, ["feeds", "workers"]) ? "wrong" : ""}>
        <div class="choices">
          <FeedsChoice entry={entry} draft={draft} problems={problems} onChange={change} />
          <WorkersChoice draft={draft} problems={problems} known={known.names} onChange={change} />
          <div class="field">
            <label class="field-label" for="f-versions">
              Versions <span class="faint field-optional">optional</span>
            </label>
            <NamesInput
              id="f-versions"
              label="Versions, by id or tag"
              names={draft.versions}
              placeholder="all"
              describedBy="f-versions-notes"
              invalid={problems.versions !== undefined}
              onChange={(versions) => change({ versions })}
            />
            <span class="small faint" id="f-versions-notes">
              {problems.versions ?? (
                <>
                  Ids or tags; <code>*</code> stands for any characters
                </>
              )}
            </span>
          </div>
        </div>
      </Step>
      <Step
        n={3}
        title="Choose how much"
        state={among(problems, ["sampling", "otherwise", "perMinute", "tags"]) ? "wrong" : ""}
      >
        <div class="choices">
          <Sampling entry={entry} draft={draft} problems={problems} onChange={change} />
          <Tags draft={draft} problems={problems} onChange={change} />
          <Preview integration={entry.id} rules={Object.keys(rules.problems).length === 0 ? rules.value : undefined} />
        </div>
      </Step>
      <Step
        n={4}
        title={row === undefined ? "On a bad day, and to begin with" : "On a bad day"}
        state={among(problems, ["failoverTo", "backfillFrom"]) ? "wrong" : ""}
      >
        <div class="choices">
          <FailoverChoice
            draft={draft}
            onChange={change}
            others={others}
            catalog={catalog}
            problem={problems.failoverTo}
          />
          {row === undefined && <BackfillChoice draft={draft} onChange={change} />}
        </div>
      </Step>
      <div class="setup-foot">
        <button type="submit" class="btn primary" disabled={busy || !isAdmin}>
          {row !== undefined ? "Save" : saving === "enabled" ? "Enabling…" : "Enable"}
        </button>
        {row === undefined && (
          <button type="button" class="btn" disabled={busy || !isAdmin} onClick={() => void save("paused")}>
            Store, paused
          </button>
        )}
        <a class="btn quiet" href={row === undefined ? "/integrations" : hrefOf(row)}>
          Cancel
        </a>
        <span role="status" class="small setup-said">
          {!isAdmin ? (
            <span class="warn">This takes a token of scope admin.</span>
          ) : failure !== undefined ? (
            <span class="bad">{failure}</span>
          ) : Object.keys(problems).length > 0 ? (
            <span class="bad">Something is missing above.</span>
          ) : tested === undefined && row === undefined ? (
            <span class="faint">Not tested yet.</span>
          ) : tested === false ? (
            <span class="warn">The test did not succeed.</span>
          ) : null}
        </span>
      </div>
      <LeaveDialog />
    </form>
  );
}
