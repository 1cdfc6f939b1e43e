/** One resource: which Workers have its secrets, the lines of code that use them, rotate, remove. */
import { useEffect, useState } from "preact/hooks";
import type { CatalogEntry, ResourceRow } from "../../../workers/api/contract.ts";
import type { ApiFailure } from "../api/client.ts";
import { integrationsApi } from "../api/integrations.ts";
import { Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icons.tsx";
import { CodeBlock } from "../components/integrations/markdown.tsx";
import { Gone, PageHead } from "../components/integrations/page-head.tsx";
import { ResourceForm } from "../components/resource/resource-form.tsx";
import { Fields } from "../components/setup/fields.tsx";
import { problemsOf } from "../components/setup/form-problems.ts";
import { ErrorState, Progress } from "../components/states.tsx";
import { ago, full } from "../lib/format.ts";
import { listed, writtenText } from "../lib/integrations.ts";
import { integrationsChanged, mayChange, useCatalog, useResources } from "../state/integrations.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate } from "../state/location.ts";
import { asFailure } from "../state/resource.ts";
import { toast } from "../state/toasts.ts";
import "../styles/settings.css";
import "../styles/rollout-record.css";
import "../styles/rollout.css";
import "../styles/integrations.css";
import "../styles/setup.css";
import "../styles/rules.css";
import "../styles/destination.css";

type Asked = "rotate" | "remove";

interface AskProps {
  row: ResourceRow;
  entry: CatalogEntry | undefined;
  asked: Asked;
  onClose: () => void;
}

function Ask({ row, entry, asked, onClose }: AskProps) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const names = listed(row.workers.map((w) => w.script));
  const secrets = listed([...new Set(row.workers.flatMap((w) => w.secrets))]);
  const [failure, setFailure] = useState<ApiFailure>();
  // It was said what stays behind, and the same button pressed again.
  const force = failure?.code === "in_use";
  const run = async () => {
    setBusy(true);
    try {
      if (asked === "rotate")
        toast(writtenText("Rotated", (await integrationsApi.rotateResource(row.id, values)).resource));
      else {
        await integrationsApi.removeResource(row.id, force);
        toast({ text: `Removed: ${row.name}` });
      }
      onClose();
      if (asked === "remove") navigate("/integrations");
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
    integrationsChanged();
  };
  return (
    <Dialog title={asked === "rotate" ? `Rotate ${row.name}?` : `Remove ${row.name}?`} onClose={onClose}>
      <div class="dialog-body ask">
        {asked === "rotate" ? (
          <ul class="ask-what">
            <li>New credentials are made where the service can, and written into {names || "no Worker yet"}.</li>
            <li>A service that makes none by itself needs a new one from you.</li>
          </ul>
        ) : (
          <ul class="ask-what">
            {row.workers.length > 0 && (
              <li>
                <code>{secrets}</code> {row.workers.length === 1 ? "is" : "are"} deleted from {names}. Code there that
                uses them fails from then on.
              </li>
            )}
            <li>The stored credentials are deleted here. At the service itself nothing is deleted.</li>
          </ul>
        )}
        {asked === "rotate" && entry !== undefined && (
          <div class="setup-fields">
            <Fields
              fields={entry.fields.filter((f) => f.secret)}
              values={values}
              problems={failure === undefined ? {} : problemsOf(entry, failure)}
              stored={row.secretsSet}
              onInput={(name, value) => setValues((v) => ({ ...v, [name]: value }))}
            />
          </div>
        )}
        <p role="status" class="bad">
          {failure?.message}
        </p>
        <div class="row ask-buttons">
          <button
            type="button"
            class={`btn ${asked === "remove" ? "stop" : "primary"}`}
            disabled={busy}
            onClick={() => void run()}
          >
            {asked === "rotate" ? "Rotate" : force ? "Remove all the same" : "Remove"}
          </button>
          <button type="button" class="btn quiet" autofocus onClick={onClose}>
            Leave it
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function Workers({ row, now }: { row: ResourceRow; now: number }) {
  if (row.workers.length === 0) return <p class="muted">No Worker has its secrets. Edit it to choose some.</p>;
  return (
    <div class="table-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Secrets</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {row.workers.map((w) => (
            <tr key={w.script}>
              <th scope="row" class="plain-th">
                {w.script}
              </th>
              <td class="mono">
                {w.error !== null && w.writtenAt === 0 && w.secrets.length > 0 && <span class="muted">perhaps </span>}
                {w.secrets.join(", ") || "–"}
              </td>
              <td>
                {w.error !== null ? (
                  <span class="row bad">
                    <Icon name="alert" />
                    {w.error}
                  </span>
                ) : (
                  <span class="row good" title={full(w.writtenAt)}>
                    <Icon name="check" />
                    Written {ago(w.writtenAt, now)}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function ResourcePage({ id }: { id: string }) {
  const { data, error, loading, reload } = useResources();
  const catalog = useCatalog();
  const [asked, setAsked] = useState<Asked>();
  const [editing, setEditing] = useState(false);
  const row = data?.resources.find((r) => r.id === id);
  useEffect(() => {
    document.title = `${row?.name ?? "Resource"} · Tailrace`;
  }, [row?.name]);
  useShortcuts({ Escape: () => !editing && navigate("/integrations") });
  if (data === undefined || catalog.data === undefined) {
    const failure = error ?? catalog.error;
    return failure === undefined ? (
      <Progress show={loading || catalog.loading} />
    ) : (
      <ErrorState
        failure={failure}
        retry={() => {
          reload();
          catalog.reload();
        }}
      />
    );
  }
  if (row === undefined) return <Gone what="resource" />;
  const entry = catalog.data.find((e) => e.id === row.integration);
  const now = Date.now();
  const may = mayChange();
  return (
    <div class="page resource">
      <PageHead name={row.name} entry={entry} kind={entry?.name ?? row.integration} failure={error} retry={reload}>
        {may && !editing && (
          <span class="roll-actions">
            <button type="button" class="btn" onClick={() => setEditing(true)}>
              <Icon name="edit" />
              Edit
            </button>
            <button type="button" class="btn" onClick={() => setAsked("rotate")}>
              <Icon name="regressed" />
              Rotate
            </button>
            <button type="button" class="btn danger" onClick={() => setAsked("remove")}>
              Remove
            </button>
          </span>
        )}
      </PageHead>
      {editing && entry !== undefined ? (
        <ResourceForm entry={entry} row={row} onSaved={() => setEditing(false)} />
      ) : (
        <div class="resource-columns">
          <section aria-labelledby="has-title">
            <h2 id="has-title">Workers</h2>
            <Workers row={row} now={now} />
            <p class="small faint">
              Made {ago(row.createdAt, now)}
              {row.rotatedAt !== null && `, rotated ${ago(row.rotatedAt, now)}`}
            </p>
          </section>
          <section aria-labelledby="use-title">
            <h2 id="use-title">In the Worker's code</h2>
            {row.usage.install !== "" && <CodeBlock code={row.usage.install} />}
            <CodeBlock code={row.usage.code} />
          </section>
        </div>
      )}
      {asked !== undefined && <Ask row={row} entry={entry} asked={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}
