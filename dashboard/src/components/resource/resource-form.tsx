/** Setting up a resource, or changing one: its credentials, tested; then the Workers that get them as secrets. */
import { useMemo, useState } from "preact/hooks";
import type { CatalogEntry, ResourceRow } from "../../../../workers/api/contract.ts";
import { integrationsApi } from "../../api/integrations.ts";
import { defaultValues, readValues } from "../../lib/destination-draft.ts";
import { writtenText } from "../../lib/integrations.ts";
import { integrationsChanged, mayChange, useConnections } from "../../state/integrations.ts";
import { letGo, useUnsaved } from "../../state/leaving.ts";
import { navigate } from "../../state/location.ts";
import { asFailure } from "../../state/resource.ts";
import { toast } from "../../state/toasts.ts";
import { LeaveDialog } from "../leave-dialog.tsx";
import { ConnectStep, testedNow } from "../setup/connect-step.tsx";
import type { LoadOptions } from "../setup/fields.tsx";
import { atFields, problemsOf, useProblems } from "../setup/form-problems.ts";
import { Step } from "../setup/step.tsx";
import { useTest } from "../setup/test-panel.tsx";
import { WorkerCheckList } from "../setup/workers-choice.tsx";

interface Draft {
  name: string;
  values: Record<string, string>;
  workers: string[];
}

interface Props {
  entry: CatalogEntry;
  row?: ResourceRow;
  onSaved?: () => void;
}

export const resourceHref = (id: string): string => `/integrations/r/${encodeURIComponent(id)}`;

export function ResourceForm({ entry, row, onSaved }: Props) {
  const first = useMemo(
    (): Draft => ({
      name: row?.name ?? entry.name,
      values: { ...defaultValues(entry.fields), ...row?.values },
      workers: row?.workers.map((w) => w.script) ?? [],
    }),
    [],
  );
  const [draft, setDraft] = useState(first);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const { problems, show, clear } = useProblems();
  const testing = useTest();
  const account = useConnections();
  const stored = row?.secretsSet ?? [];
  useUnsaved(!busy && JSON.stringify(first) !== JSON.stringify(draft));
  const isAdmin = mayChange();
  const workers = account.data?.connections.filter((c) => !c.self).map((c) => c.script) ?? [];
  const noAccount = account.data !== undefined && !account.data.account.connected;

  const read = () => readValues(entry.fields, draft.values, stored);
  const ready = read().value;
  const known = row === undefined ? {} : { id: row.id };
  const load: LoadOptions = async (field) => {
    try {
      const { options } = await integrationsApi.options({
        ...known,
        integration: entry.id,
        field,
        values: read().value,
      });
      return { ok: true, options };
    } catch (error) {
      return { ok: false, message: asFailure(error).message };
    }
  };
  const test = async () => {
    const { value, problems: found } = read();
    if (Object.keys(found).length > 0) return show(found);
    const answer = await testing.run({ ...known, integration: entry.id, values: value });
    if (answer?.problems !== undefined) show(atFields(entry, answer.problems));
  };
  const save = async () => {
    const { value: values, problems: found } = read();
    if (draft.name.trim() === "") found.name = "Give it a name.";
    if (draft.workers.length === 0) found.workers = "Choose at least one Worker.";
    if (Object.keys(found).length > 0) return show(found);
    setBusy(true);
    const body = { name: draft.name.trim(), values, workers: draft.workers };
    try {
      const { resource } =
        row === undefined
          ? await integrationsApi.createResource({ ...body, integration: entry.id })
          : await integrationsApi.changeResource(row.id, body);
      toast(writtenText("Written", resource));
      letGo();
      if (row === undefined) navigate(resourceHref(resource.id), true);
      else onSaved?.();
    } catch (error) {
      const said = asFailure(error);
      show(problemsOf(entry, said));
      setFailure(said.message);
      setBusy(false);
    }
    integrationsChanged();
  };
  const set = (part: Partial<Draft>) => {
    setDraft((d) => ({ ...d, ...part }));
    setFailure(undefined);
    for (const where of Object.keys(part)) clear(where);
  };
  const tested = testedNow(testing, ready);
  return (
    <form
      class="setup-form"
      autocomplete="off"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}
    >
      <ConnectStep
        entry={entry}
        name={draft.name}
        onName={(name) => set({ name })}
        values={draft.values}
        onInput={(name, value) => {
          set({ values: { ...draft.values, [name]: value } });
          clear(`values.${name}`);
        }}
        problems={problems}
        stored={stored}
        load={load}
        testing={testing}
        ready={ready}
        onTest={() => void test()}
      />
      <Step
        n={2}
        title="Choose the Workers that get it"
        note="The credentials are written into them as secrets. Cloudflare makes a new version of each for it; nothing else of them changes."
        state={problems.workers === undefined ? "" : "wrong"}
      >
        {noAccount ? (
          <p class="notice warn">
            <span>
              Secrets are written through Cloudflare's API, and no account is connected.{" "}
              <a class="link" href="/settings/cloudflare">
                Connect the account
              </a>
            </span>
          </p>
        ) : account.error !== undefined && account.data === undefined ? (
          <p class="bad">
            {account.error.message}{" "}
            <button type="button" class="link" onClick={account.reload}>
              Try again
            </button>
          </p>
        ) : workers.length > 0 ? (
          <WorkerCheckList
            names={workers}
            chosen={draft.workers}
            onChange={(next) => set({ workers: next })}
            label="Workers that get the secrets"
          />
        ) : (
          <p class="muted">{account.data === undefined ? "Asking Cloudflare…" : "The account has no Worker yet."}</p>
        )}
        <p class="small bad">{problems.workers}</p>
      </Step>
      <div class="setup-foot">
        <button type="submit" class="btn primary" disabled={busy || !isAdmin || noAccount}>
          {busy ? "Writing…" : "Write the secrets"}
        </button>
        {row === undefined ? (
          <a class="btn quiet" href="/integrations">
            Cancel
          </a>
        ) : (
          <button type="button" class="btn quiet" onClick={onSaved}>
            Cancel
          </button>
        )}
        <span role="status" class="small setup-said">
          {!isAdmin ? (
            <span class="warn">This takes a token of scope admin.</span>
          ) : failure !== undefined ? (
            <span class="bad">{failure}</span>
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
